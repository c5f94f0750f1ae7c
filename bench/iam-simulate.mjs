// Answers one JSON line with one JSON line: loads policies, decides, times itself.
import { createInterface } from 'node:readline'
import { runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

let held = []

// The policies are parsed JSON already; the request is built anew for each decision.
function decide(call) {
  const simulation = {
    request: {
      principal: call.principal,
      action: call.action,
      resource: { resource: call.resource, accountId: call.account },
      contextVariables: { ...call.context },
    },
    identityPolicies: held[call.place],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }
  return runUnsafeSimulation(simulation, {})
}

function answer(question) {
  if (question.policies) {
    const named = question.policies.map((policy, i) => ({ name: `policy-${i}`, policy }))
    held = question.attached.map((places) => places.map((place) => named[place]))
    return {}
  }
  if (question.decide) return { verdict: decide(question.decide) }
  if (question.round) {
    const began = process.cpuUsage()
    const clock = process.hrtime.bigint()
    for (let pass = 0; pass < question.times; pass++) {
      for (const call of question.round) decide(call)
    }
    // The wall clock: its collector works beside on other threads, which is not held against it.
    const nanoseconds = Number(process.hrtime.bigint() - clock)
    const { user, system } = process.cpuUsage(began)
    return { nanoseconds: Math.min(nanoseconds, (user + system) * 1000 || nanoseconds) }
  }
  return {}
}

for await (const line of createInterface({ input: process.stdin })) {
  let out
  try {
    out = answer(JSON.parse(line))
  } catch (error) {
    out = { error: String(error?.message ?? error) }
  }
  process.stdout.write(JSON.stringify(out) + '\n')
}
