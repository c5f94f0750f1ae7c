// Answers cases with the npm package @cloud-copilot/iam-simulate, a program of its own: one case a
// line comes in, one line `{id, decision}` or `{id, error}` goes out.

import { createInterface } from 'node:readline'
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'

const DECISIONS = {
  Allowed: 'allowed',
  ExplicitlyDenied: 'explicitDeny',
  ImplicitlyDenied: 'implicitDeny',
}

const named = (policies, prefix) =>
  (policies ?? []).map((policy, at) => ({ name: `${prefix}-${at}`, policy }))

const levels = (list, prefix) =>
  (list ?? []).map((policies, at) => ({
    orgIdentifier: `${prefix}-${at}`,
    policies: named(policies, `${prefix}-${at}`),
  }))

function simulation(line) {
  const { request } = line
  const resource = request.resource ?? '*'
  const owner = request.resourceAccount || resource.split(':')[4] || request.principal?.split(':')[4]
  return {
    request: {
      principal: request.principal ?? anonymousPrincipal,
      action: request.action,
      resource: { resource, accountId: owner ?? '' },
      contextVariables: request.context ?? {},
    },
    identityPolicies: named(line.identityPolicies, 'identity'),
    permissionBoundaryPolicies: line.permissionsBoundary
      ? named([line.permissionsBoundary], 'boundary')
      : undefined,
    sessionPolicy: line.sessionPolicies?.[0],
    resourcePolicy: line.resourcePolicy ?? undefined,
    serviceControlPolicies: levels(line.scps, 'scp'),
    resourceControlPolicies: levels(line.rcps, 'rcp'),
    vpcEndpointPolicies: line.endpointPolicies ? named(line.endpointPolicies, 'endpoint') : undefined,
  }
}

async function answer(line) {
  try {
    const found = await runSimulation(simulation(line), {})
    if (found.resultType === 'error') return { error: JSON.stringify(found.errors) }
    const ignored = found.result?.ignoredContextKeys ?? []
    if (ignored.length > 0) return { error: `ignored: ${ignored}` }
    return { decision: DECISIONS[found.overallResult] }
  } catch (error) {
    return { error: `thrown: ${error?.message ?? error}` }
  }
}

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text)
  process.stdout.write(JSON.stringify({ id: line.id, ...(await answer(line)) }) + '\n')
}
