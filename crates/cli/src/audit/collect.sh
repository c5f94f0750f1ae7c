#!/bin/sh
# Gathers what `bailiwick audit` reads, with read-only calls of the AWS CLI.
#
#   sh collect.sh [FOLDER]              the folder is `audit` if none is named
#
# AWS_PROFILE and the like choose the credentials. REGIONS="eu-west-1 us-east-1" limits the regions.
# LAST_ACCESSED=1 also asks for the last uses of services by each user and role, which takes a call
# a second. What a call answers lies in its file; where one fails, NAME.error says why.
set -u
umask 077
out=${1:-audit}
mkdir -p "$out" && cd "$out" || exit 1

# call FILE ARGUMENTS: one call, one file.
call() {
    file=$1
    shift
    mkdir -p "$(dirname "$file")"
    if aws "$@" --output json >"$file.part" 2>"$file.error"; then
        mv "$file.part" "$file"
        rm -f "$file.error"
    else
        rm -f "$file.part"
    fi
}

# ids QUERY ARGUMENTS: the names or ids that a call answers, one a line.
ids() {
    query=$1
    shift
    aws "$@" --query "$query" --output text 2>/dev/null | tr '\t' '\n' | sed '/^None$/d;/^$/d'
}

say() {
    echo "$*" >&2
}

account=$(aws sts get-caller-identity --query Account --output text) || exit 1
arn=$(aws sts get-caller-identity --query Arn --output text) || exit 1
printf '{"collected": "%s", "account": "%s", "arn": "%s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$account" "$arn" >collected.json

say "account $account: identities"
call authorization-details.json iam get-account-authorization-details
call account-summary.json iam get-account-summary
call password-policy.json iam get-account-password-policy
call virtual-mfa-devices.json iam list-virtual-mfa-devices
call server-certificates.json iam list-server-certificates
call saml-providers.json iam list-saml-providers
call oidc-providers.json iam list-open-id-connect-providers
call roles.json iam list-roles
n=0
for provider in $(ids 'OpenIDConnectProviderList[].Arn' iam list-open-id-connect-providers); do
    n=$((n + 1))
    call "oidc-providers/$n.json" iam get-open-id-connect-provider \
        --open-id-connect-provider-arn "$provider"
done
n=0
for policy in $(ids 'Policies[].Arn' iam list-policies --scope Local); do
    n=$((n + 1))
    call "policy-tags/$n.json" iam list-policy-tags --policy-arn "$policy" \
        --query "{Arn: '$policy', Tags: Tags}"
done
n=0
while [ "$n" -lt 30 ]; do
    state=$(aws iam generate-credential-report --query State --output text 2>/dev/null) || break
    [ "$state" = COMPLETE ] && break
    n=$((n + 1))
    sleep 2
done
call credential-report.json iam get-credential-report
for user in $(ids 'Users[].UserName' iam list-users); do
    call "access-keys/$user.json" iam list-access-keys --user-name "$user"
    call "mfa-devices/$user.json" iam list-mfa-devices --user-name "$user"
    call "ssh-public-keys/$user.json" iam list-ssh-public-keys --user-name "$user"
    call "service-specific-credentials/$user.json" iam list-service-specific-credentials \
        --user-name "$user"
    call "signing-certificates/$user.json" iam list-signing-certificates --user-name "$user"
done
for kind in SECURITY BILLING OPERATIONS; do
    call "contacts/$kind.json" account get-alternate-contact --alternate-contact-type "$kind"
done

if [ "${LAST_ACCESSED:-0}" = 1 ]; then
    say "account $account: last uses of services"
    n=0
    for principal in $(ids 'Users[].Arn' iam list-users) $(ids 'Roles[].Arn' iam list-roles); do
        n=$((n + 1))
        job=$(aws iam generate-service-last-accessed-details --arn "$principal" \
            --query JobId --output text 2>/dev/null) || continue
        sleep 1
        call "last-accessed/$n.json" iam get-service-last-accessed-details --job-id "$job" \
            --query "{Arn: '$principal', ServicesLastAccessed: ServicesLastAccessed}"
    done
fi

say "account $account: organization"
call organization/organization.json organizations describe-organization
if [ -f organization/organization.json ]; then
    call organization/roots.json organizations list-roots
    call organization/accounts.json organizations list-accounts
    call organization/delegated-administrators.json organizations list-delegated-administrators
    call organization/root-features.json iam list-organizations-features
    tree() {
        call "organization/units/$1.json" organizations list-organizational-units-for-parent \
            --parent-id "$1"
        call "organization/accounts/$1.json" organizations list-accounts-for-parent --parent-id "$1"
        for unit in $(ids 'OrganizationalUnits[].Id' organizations \
            list-organizational-units-for-parent --parent-id "$1"); do
            tree "$unit"
        done
    }
    for root in $(ids 'Roots[].Id' organizations list-roots); do
        tree "$root"
    done
    for kind in SERVICE_CONTROL_POLICY RESOURCE_CONTROL_POLICY; do
        call "organization/policies/$kind.json" organizations list-policies --filter "$kind"
        for policy in $(ids 'Policies[].Id' organizations list-policies --filter "$kind"); do
            call "organization/policy/$policy.json" organizations describe-policy \
                --policy-id "$policy"
            call "organization/targets/$policy.json" organizations list-targets-for-policy \
                --policy-id "$policy"
        done
    done
    for kind in TAG_POLICY AISERVICES_OPT_OUT_POLICY; do
        call "organization/policies/$kind.json" organizations list-policies --filter "$kind"
        for policy in $(ids 'Policies[].Id' organizations list-policies --filter "$kind"); do
            call "organization/targets/$policy.json" organizations list-targets-for-policy \
                --policy-id "$policy"
        done
    done
fi

say "account $account: buckets"
call s3/account-public-access-block.json s3control get-public-access-block --account-id "$account"
call s3/buckets.json s3api list-buckets
for bucket in $(ids 'Buckets[].Name' s3api list-buckets); do
    call "s3/$bucket/policy.json" s3api get-bucket-policy --bucket "$bucket"
    call "s3/$bucket/public-access-block.json" s3api get-public-access-block --bucket "$bucket"
    call "s3/$bucket/logging.json" s3api get-bucket-logging --bucket "$bucket"
    call "s3/$bucket/versioning.json" s3api get-bucket-versioning --bucket "$bucket"
    call "s3/$bucket/object-lock.json" s3api get-object-lock-configuration --bucket "$bucket"
done

call regions.json ec2 describe-regions
regions=${REGIONS:-$(ids 'Regions[].RegionName' ec2 describe-regions)}
for region in $regions; do
    say "account $account: $region"
    in="regions/$region"
    call "$in/analyzers.json" accessanalyzer list-analyzers --region "$region"
    n=0
    for analyzer in $(ids 'analyzers[].arn' accessanalyzer list-analyzers --region "$region"); do
        n=$((n + 1))
        call "$in/findings/$n.json" accessanalyzer list-findings-v2 --analyzer-arn "$analyzer" \
            --filter '{"status": {"eq": ["ACTIVE"]}}' --region "$region"
    done
    call "$in/instances.json" ec2 describe-instances --region "$region"
    call "$in/anywhere-profiles.json" rolesanywhere list-profiles --region "$region"
    call "$in/anywhere-anchors.json" rolesanywhere list-trust-anchors --region "$region"
    call "$in/security-hub.json" securityhub describe-hub --region "$region"
    call "$in/detectors.json" guardduty list-detectors --region "$region"
    for detector in $(ids 'DetectorIds[]' guardduty list-detectors --region "$region"); do
        call "$in/detectors/$detector.json" guardduty get-detector --detector-id "$detector" \
            --region "$region"
    done
    call "$in/recorders.json" configservice describe-configuration-recorders --region "$region"
    call "$in/recorder-status.json" configservice describe-configuration-recorder-status \
        --region "$region"
    call "$in/trails.json" cloudtrail describe-trails --region "$region"
    for trail in $(ids "trailList[?HomeRegion=='$region'].Name" cloudtrail describe-trails \
        --region "$region"); do
        call "$in/trails/$trail/status.json" cloudtrail get-trail-status --name "$trail" \
            --region "$region"
        call "$in/trails/$trail/event-selectors.json" cloudtrail get-event-selectors \
            --trail-name "$trail" --region "$region"
    done
    call "$in/log-groups.json" logs describe-log-groups --region "$region"
    call "$in/metric-filters.json" logs describe-metric-filters --region "$region"
    call "$in/alarms.json" cloudwatch describe-alarms --alarm-types MetricAlarm --region "$region"
    call "$in/subscriptions.json" sns list-subscriptions --region "$region"
    for key in $(ids 'Keys[].KeyId' kms list-keys --region "$region"); do
        call "$in/kms/$key.json" kms get-key-policy --key-id "$key" --policy-name default \
            --region "$region"
    done
    for function in $(ids 'Functions[].FunctionName' lambda list-functions --region "$region"); do
        call "$in/lambda/$function.json" lambda get-policy --function-name "$function" \
            --region "$region"
    done
    n=0
    for queue in $(ids 'QueueUrls[]' sqs list-queues --region "$region"); do
        n=$((n + 1))
        call "$in/sqs/$n.json" sqs get-queue-attributes --queue-url "$queue" \
            --attribute-names QueueArn Policy --region "$region"
    done
    n=0
    for topic in $(ids 'Topics[].TopicArn' sns list-topics --region "$region"); do
        n=$((n + 1))
        call "$in/sns/$n.json" sns get-topic-attributes --topic-arn "$topic" --region "$region"
    done
    n=0
    for secret in $(ids 'SecretList[].ARN' secretsmanager list-secrets --region "$region"); do
        n=$((n + 1))
        call "$in/secretsmanager/$n.json" secretsmanager get-resource-policy \
            --secret-id "$secret" --region "$region"
    done
    n=0
    for repository in $(ids 'repositories[].repositoryName' ecr describe-repositories \
        --region "$region"); do
        n=$((n + 1))
        call "$in/ecr/$n.json" ecr get-repository-policy --repository-name "$repository" \
            --region "$region"
    done
done

say "account $account: Identity Center"
call identity-center/instances.json sso-admin list-instances
n=0
for instance in $(ids 'Instances[].InstanceArn' sso-admin list-instances); do
    store=$(ids "Instances[?InstanceArn=='$instance'].IdentityStoreId" sso-admin list-instances)
    for set in $(ids 'PermissionSets[]' sso-admin list-permission-sets --instance-arn "$instance"); do
        n=$((n + 1))
        call "identity-center/permission-set-$n.json" sso-admin describe-permission-set \
            --instance-arn "$instance" --permission-set-arn "$set"
        call "identity-center/inline-policy-$n.json" sso-admin \
            get-inline-policy-for-permission-set \
            --instance-arn "$instance" --permission-set-arn "$set"
        call "identity-center/managed-policies-$n.json" sso-admin \
            list-managed-policies-in-permission-set \
            --instance-arn "$instance" --permission-set-arn "$set"
        call "identity-center/customer-policies-$n.json" sso-admin \
            list-customer-managed-policy-references-in-permission-set \
            --instance-arn "$instance" --permission-set-arn "$set"
        m=0
        for target in $(ids 'AccountIds[]' sso-admin list-accounts-for-provisioned-permission-set \
            --instance-arn "$instance" --permission-set-arn "$set"); do
            m=$((m + 1))
            call "identity-center/assignments-$n-$m.json" sso-admin list-account-assignments \
                --instance-arn "$instance" --account-id "$target" --permission-set-arn "$set"
            for group in $(ids "AccountAssignments[?PrincipalType=='GROUP'].PrincipalId" \
                sso-admin list-account-assignments \
                --instance-arn "$instance" --account-id "$target" --permission-set-arn "$set"); do
                [ -f "identity-center/members-$group.json" ] || call \
                    "identity-center/members-$group.json" identitystore list-group-memberships \
                    --identity-store-id "$store" --group-id "$group"
            done
        done
    done
done
failed=$(find . -name '*.error' | wc -l)
say "done: $out; $failed calls were refused or had nothing to tell (*.error)"
