//! What events cannot show, so that nobody takes their silence for "not needed".

use super::usage::Usage;

/// Services whose calls on their data a trail logs only when told to. Source: CloudTrail user guide,
/// logging data events.
const DATA: &[(&str, &str)] = &[
    ("s3", "reads and writes of objects"),
    ("lambda", "invocations"),
    ("dynamodb", "reads and writes of items"),
    ("sqs", "sending and receiving of messages"),
    ("sns", "publishing"),
    ("kinesis", "records put and got"),
];

/// What these events do not tell, one sentence each.
pub(super) fn unseen(usage: &Usage, by_service: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    let missing: Vec<String> = DATA
        .iter()
        .filter(|(service, _)| {
            let host = format!("{service}.");
            !usage.data.iter().any(|source| source.starts_with(&host))
        })
        .map(|(service, what)| format!("{service} ({what})"))
        .collect();
    if !missing.is_empty() {
        out.push(format!(
            "There are no data events of {}: a trail logs them only when told to. What the principal \
             does there is in no figure here.",
            missing.join(", ")
        ));
    }
    if usage.records > 0 && !usage.reads {
        out.push(
            "No event only looks: the trail seems to log changes alone, and rights to look are \
             missing from the policy."
                .to_owned(),
        );
    }
    if by_service.contains(&"kms") || !usage.calls.is_empty() {
        out.push(
            "A trail may leave out events of KMS, as they are many: check for keys of what is \
             encrypted."
                .to_owned(),
        );
    }
    out.push(
        "`iam:PassRole` has no event of its own: it is inferred from roles in the parameters of calls."
            .to_owned(),
    );
    for (event, evidence) in &usage.passing {
        out.push(format!(
            "{event} ({} calls) may pass a role that its event does not show: `iam:PassRole` on it \
             may be lacking.",
            evidence.count
        ));
    }
    for (profile, evidence) in &usage.profiles {
        out.push(format!(
            "The instance profile `{profile}` ({} calls) has a role that the events do not tell: \
             `iam:PassRole` on it is lacking (--account names it).",
            evidence.count
        ));
    }
    out.push(
        "Conditions (addresses, MFA, tags) are not inferred, `iam:PassedToService` aside; rights that \
         a service asks for without an event, such as `s3:ListBucket` for the answer that an object \
         is not there, are not known."
            .to_owned(),
    );
    let via: u64 = usage
        .calls
        .values()
        .filter(|evidence| !evidence.via.is_empty())
        .map(|evidence| evidence.count)
        .sum();
    if via > 0 {
        out.push(format!(
            "{via} calls were made by services with the rights of the principal: they need the rights \
             all the same, and are in the policy."
        ));
    }
    if usage.omitted > 0 {
        out.push(format!(
            "{} events leave their parameters out as too large: their resources are patterns.",
            usage.omitted
        ));
    }
    if usage.cut > 0 {
        out.push(format!(
            "{} events have too many parameters, or too deep ones: what is beyond was not looked at, and \
             resources may be lacking.",
            usage.cut
        ));
    }
    if usage.throttled > 0 {
        out.push(format!(
            "{} calls were throttled: whether they were permitted is not known, and they are left out.",
            usage.throttled
        ));
    }
    if usage.beyond + usage.beyond_refused > 0 {
        out.push(format!(
            "{} calls and {} refused ones are left out: there are more unlike calls than are kept.",
            usage.beyond, usage.beyond_refused
        ));
    }
    if let (Some(first), Some(last)) = (usage.own.first, usage.own.last) {
        out.push(format!("Calls before {first} and after {last} are not in these events."));
    }
    out
}
