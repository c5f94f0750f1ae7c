//! LOG: trails, what they record, and where it lies.

use bailiwick_symbolic::Asker;
use jiff::SignedDuration;

use crate::evidence::{BucketFacts, Data, Part, Resource, Trail};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::checks::exposure;

const TRAILS: &[Need] = &[Need::Of(Data::Trails)];
const BUCKETS: &[Need] = &[Need::Of(Data::Trails), Need::Of(Data::ResourcePolicies)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "LOG-01",
        needs: TRAILS,
        remedy: "make a trail of all regions that records management events and global services",
        run: everywhere,
    },
    Check { id: "LOG-02", needs: TRAILS, remedy: "switch file validation on", run: validated },
    Check {
        id: "LOG-03",
        needs: TRAILS,
        remedy: "encrypt the files with a key of your own",
        run: encrypted,
    },
    Check {
        id: "LOG-04",
        needs: TRAILS,
        remedy: "let the trail write to a log group, and look why it has not",
        run: delivered,
    },
    Check {
        id: "LOG-05",
        needs: BUCKETS,
        remedy: "block public access to the bucket",
        run: bucket_not_public,
    },
    Check {
        id: "LOG-06",
        needs: BUCKETS,
        remedy: "log the accesses to the bucket",
        run: bucket_logged,
    },
    Check {
        id: "LOG-07",
        needs: BUCKETS,
        remedy: "lock the objects, or ask for MFA where a version is deleted",
        run: bucket_locked,
    },
    Check {
        id: "LOG-08",
        needs: TRAILS,
        remedy: "select data events of S3 objects, read and write",
        run: objects,
    },
    Check { id: "LOG-09", needs: TRAILS, remedy: "switch Insights on", run: insights },
    Check {
        id: "LOG-10",
        needs: &[Need::Of(Data::Trails), Need::Of(Data::Organization)],
        remedy: "make a trail of the organization in its management account",
        run: of_organization,
    },
    Check {
        id: "LOG-11",
        needs: &[Need::Of(Data::Trails), Need::Of(Data::LogGroups)],
        remedy: "keep the events for a year",
        run: retention,
    },
    Check {
        id: "LOG-13",
        needs: &[Need::Of(Data::Recorders), Need::Of(Data::Regions)],
        remedy: "let a recorder run in each region, and record global types in one",
        run: recorders,
    },
];

fn trails<'a>(audit: &Audit<'a>) -> &'a [Trail] {
    audit.evidence.trails.known().map_or(&[], Vec::as_slice)
}

/// Judges each trail; without one there is nothing to judge, and LOG-01 fails.
fn each(audit: &Audit<'_>, results: &mut Results, judge: impl Fn(&Trail, &mut Results)) {
    if trails(audit).is_empty() {
        results.not_applicable();
    }
    for trail in trails(audit) {
        judge(trail, results);
    }
}

/// LOG-01.
fn everywhere(audit: &Audit<'_>, results: &mut Results) {
    let candidates: Vec<&Trail> =
        trails(audit).iter().filter(|trail| trail.multi_region && trail.global_events).collect();
    let whole = |trail: &&&Trail| {
        trail.logging == Part::Known(true)
            && trail.selectors.known().is_some_and(|s| s.management_read && s.management_write)
    };
    if candidates.iter().any(|trail| whole(&trail)) {
        results.pass();
        return;
    }
    let unknown = candidates.iter().find(|trail| {
        trail.logging != Part::Known(false)
            && (trail.logging.known().is_none() || trail.selectors.known().is_none())
    });
    if let Some(trail) = unknown {
        results.not_assessed(&trail.arn, "the status or the selectors of the trail");
        return;
    }
    let why = match trails(audit) {
        [] => "there is no trail",
        _ => "no trail records all regions, global services and management events, read and write",
    };
    results.fail(Found::new(&audit.account, why));
}

/// LOG-02.
fn validated(audit: &Audit<'_>, results: &mut Results) {
    each(audit, results, |trail, results| {
        results.judge(trail.log_file_validation, || {
            Found::new(&trail.arn, "nobody can tell whether the trail's files were changed").cli(
                format!(
                    "aws cloudtrail update-trail --name {} --enable-log-file-validation",
                    trail.name
                ),
            )
        });
    });
}

/// LOG-03.
fn encrypted(audit: &Audit<'_>, results: &mut Results) {
    each(audit, results, |trail, results| {
        results.judge(trail.kms_key.is_some(), || {
            Found::new(&trail.arn, "the trail's files are encrypted by no key of your own")
                .cli(format!("aws cloudtrail update-trail --name {} --kms-key-id KEY", trail.name))
        });
    });
}

/// LOG-04: as of the instant at which the evidence was gathered.
fn delivered(audit: &Audit<'_>, results: &mut Results) {
    let as_of = audit.evidence.collected.unwrap_or(audit.now);
    each(audit, results, |trail, results| {
        if trail.log_group.is_some() && trail.logging.known().is_none() {
            results.not_assessed(&trail.arn, "the status of the trail");
            return;
        }
        let last = trail.delivered_to_log_group;
        let recent =
            last.is_some_and(|at| as_of.duration_since(at) <= SignedDuration::from_hours(24));
        results.judge(trail.log_group.is_some() && recent, || {
            let why = match (&trail.log_group, last) {
                (None, _) => "the trail writes to no log group".to_owned(),
                (_, None) => "the trail has never written to its log group".to_owned(),
                (_, Some(at)) => format!("the trail last wrote to its log group at {at}"),
            };
            Found::new(&trail.arn, why).when(last)
        });
    });
}

/// The bucket of a trail, if it is the account's own and known.
fn bucket<'a>(audit: &Audit<'a>, trail: &Trail) -> Option<(String, &'a Resource)> {
    let partition = audit.evidence.estate.account.partition();
    let arn = format!("arn:{}:s3:::{}", partition.as_str(), trail.bucket);
    let resource = audit.evidence.resources.known()?.get(&arn)?;
    Some((arn, resource))
}

fn each_bucket(
    audit: &Audit<'_>,
    results: &mut Results,
    judge: impl Fn(&str, &Resource, &mut Results),
) {
    each(audit, results, |trail, results| {
        if let Some((arn, resource)) = bucket(audit, trail) {
            judge(&arn, resource, results);
        } else {
            let missing =
                format!("the bucket `{}`: it is not the account's, or not known", trail.bucket);
            results.not_assessed(&trail.arn, missing);
        }
    });
}

/// LOG-05: as ANA-03.
fn bucket_not_public(audit: &Audit<'_>, results: &mut Results) {
    let asker = Asker::default();
    each_bucket(audit, results, |arn, resource, results| {
        exposure::judge_public(audit, &asker, arn, resource, results);
    });
}

fn judge_fact(arn: &str, part: Part<bool>, name: &str, results: &mut Results, why: &str) {
    match part {
        Part::Known(fine) => results.judge(fine, || Found::new(arn, why)),
        Part::Missing(missing) => results.not_assessed(arn, format!("{name}: {missing}")),
    }
}

/// LOG-06.
fn bucket_logged(audit: &Audit<'_>, results: &mut Results) {
    each_bucket(audit, results, |arn, resource, results| {
        let why = "accesses to the trail's bucket are not logged";
        judge_fact(
            arn,
            resource.bucket.logging.clone(),
            "access logging of the bucket",
            results,
            why,
        );
    });
}

/// LOG-07.
fn bucket_locked(audit: &Audit<'_>, results: &mut Results) {
    each_bucket(audit, results, |arn, resource, results| {
        let BucketFacts { versioning, object_lock, .. } = &resource.bucket;
        let mfa = match versioning {
            Part::Known((on, mfa)) => Part::Known(*on && *mfa),
            Part::Missing(missing) => Part::Missing(missing.clone()),
        };
        let part = match (mfa, object_lock) {
            (Part::Known(true), _) | (_, Part::Known(true)) => Part::Known(true),
            (Part::Missing(missing), _) => Part::Missing(missing),
            (_, lock) => lock.clone(),
        };
        let why = "files of the trail can be deleted for good without MFA";
        judge_fact(arn, part, "versions and locks of the bucket", results, why);
    });
}

/// LOG-08: by all trails together that record.
fn objects(audit: &Audit<'_>, results: &mut Results) {
    let live: Vec<&Trail> =
        trails(audit).iter().filter(|trail| trail.logging != Part::Known(false)).collect();
    let known = || live.iter().filter_map(|trail| trail.selectors.known());
    let (read, write) = (known().any(|s| s.objects_read), known().any(|s| s.objects_write));
    let unknown = live.iter().any(|t| t.selectors.known().is_none() || t.logging.known().is_none());
    if unknown && !(read && write) {
        results.not_assessed(&audit.account, "the selectors or the status of a trail");
        return;
    }
    results.judge(read && write, || {
        let what = match (read, write) {
            (true, _) => "written",
            (_, true) => "read",
            _ => "read or written",
        };
        Found::new(&audit.account, format!("no trail records which objects are {what}"))
    });
}

/// LOG-09.
fn insights(audit: &Audit<'_>, results: &mut Results) {
    results.judge(trails(audit).iter().any(|trail| trail.insights), || {
        Found::new(&audit.account, "no trail has Insights")
    });
}

/// LOG-10: members can neither change nor stop a trail of the organization.
fn of_organization(audit: &Audit<'_>, results: &mut Results) {
    if audit.evidence.organization.known().is_none_or(Option::is_none) {
        results.not_applicable();
        return;
    }
    let found = trails(audit).iter().filter(|trail| trail.organization);
    let states: Vec<Option<&bool>> = found.map(|trail| trail.logging.known()).collect();
    if states.contains(&Some(&true)) {
        results.pass();
    } else if states.contains(&None) {
        results.not_assessed(&audit.account, "the status of the organization's trail");
    } else {
        results.fail(Found::new(&audit.account, "no trail of the organization records"));
    }
}

/// LOG-11: of the log groups that receive trails.
fn retention(audit: &Audit<'_>, results: &mut Results) {
    let wanted = audit.settings.limits.retention;
    let groups = audit.evidence.log_groups.known().map_or(&[][..], Vec::as_slice);
    each(audit, results, |trail, results| {
        let Some(arn) = &trail.log_group else {
            results.not_applicable();
            return;
        };
        let bare = |arn: &str| arn.trim_end_matches(":*").to_owned();
        let group = groups.iter().find(|group| bare(&group.arn) == bare(arn));
        let Some(group) = group else {
            results.not_assessed(&trail.arn, format!("the log group {arn}"));
            return;
        };
        let fine = group.retention_days.is_none_or(|days| days >= wanted);
        results.judge(fine, || {
            let days = group.retention_days.unwrap_or_default();
            let why = format!("events are kept for {days} days, and {wanted} are asked for");
            Found::new(&group.arn, why).cli(format!(
                "aws logs put-retention-policy --log-group-name {} --retention-in-days {wanted}",
                group.name
            ))
        });
    });
}

/// LOG-13.
fn recorders(audit: &Audit<'_>, results: &mut Results) {
    let (Some(recorders), Some(regions)) =
        (audit.evidence.recorders.known(), audit.evidence.regions.known())
    else {
        return;
    };
    for region in regions {
        let own = recorders.iter().filter(|recorder| recorder.region == *region);
        let states: Vec<Option<bool>> = own.map(|recorder| recorder.recording).collect();
        if states.contains(&Some(true)) {
            results.pass();
        } else if states.contains(&None) {
            results.not_assessed(&audit.account, format!("whether the recorder of {region} runs"));
        } else {
            results.fail(
                Found::new(&audit.account, format!("no recorder runs in {region}")).detail(region),
            );
        }
    }
    let global = |recorder: &&crate::evidence::Recorder| {
        recorder.global_types && recorder.recording != Some(false)
    };
    results.judge(recorders.iter().any(|recorder| global(&recorder)), || {
        Found::new(&audit.account, "no recorder records global types, such as IAM's")
            .detail("global")
    });
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, folder, merged, organization, policy};
    use serde_json::{Value as Json, json};

    const HOME: &str = "regions/eu-west-1";

    fn trail(more: Json) -> Json {
        let base = json!({
            "TrailARN": format!("arn:aws:cloudtrail:eu-west-1:{ACCOUNT}:trail/t"), "Name": "t",
            "HomeRegion": "eu-west-1", "S3BucketName": "trail-files", "IsMultiRegionTrail": true,
            "IncludeGlobalServiceEvents": true, "LogFileValidationEnabled": true,
            "IsOrganizationTrail": true, "KmsKeyId": "key", "HasInsightSelectors": true,
            "CloudWatchLogsLogGroupArn": format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:*"),
        });
        json!({"trailList": [merged(base, more)]})
    }

    fn selectors(kind: &str, values: &[&str]) -> Json {
        let data = json!({"Type": "AWS::S3::Object", "Values": values});
        let selector = json!({
            "ReadWriteType": kind, "IncludeManagementEvents": true, "DataResources": [data],
        });
        json!({"EventSelectors": [selector]})
    }

    fn clean() -> Folder {
        folder(|f| {
            organization(f, &[]);
            f.put(&format!("{HOME}/trails.json"), &trail(json!({})));
            let status = json!({
                "IsLogging": true, "LatestCloudWatchLogsDeliveryTime": "2026-05-31T20:00:00Z",
            });
            f.put(&format!("{HOME}/trails/t/status.json"), &status);
            let all = selectors("All", &["arn:aws:s3"]);
            f.put(&format!("{HOME}/trails/t/event-selectors.json"), &all);
            let arn = format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:*");
            let group = json!({"logGroupName": "g", "arn": arn, "retentionInDays": 365});
            f.put(&format!("{HOME}/log-groups.json"), &json!({"logGroups": [group]}));
            f.put("s3/buckets.json", &json!({"Buckets": [{"Name": "trail-files"}]}));
            f.text("s3/trail-files/policy.json.error", "(NoSuchBucketPolicy)");
            let logging = json!({"LoggingEnabled": {"TargetBucket": "b"}});
            f.put("s3/trail-files/logging.json", &logging);
            f.put("s3/trail-files/versioning.json", &json!({"Status": "Enabled"}));
            let lock = json!({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}});
            f.put("s3/trail-files/object-lock.json", &lock);
            f.put("regions.json", &json!({"Regions": [{"RegionName": "eu-west-1"}]}));
            let recorder = json!({
                "name": "r", "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true},
            });
            let list = json!({"ConfigurationRecorders": [recorder]});
            f.put(&format!("{HOME}/recorders.json"), &list);
            let state = json!({"ConfigurationRecordersStatus": [{"name": "r", "recording": true}]});
            f.put(&format!("{HOME}/recorder-status.json"), &state);
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let clean = clean();
        let with = |more: Json| {
            move |f: &mut Folder| {
                f.put(&format!("{HOME}/trails.json"), &trail(more.clone()));
            }
        };
        let select = |kind: &'static str, values: &'static [&'static str]| {
            move |f: &mut Folder| {
                let content = selectors(kind, values);
                f.put(&format!("{HOME}/trails/t/event-selectors.json"), &content);
            }
        };
        let status = |content: Json| {
            move |f: &mut Folder| {
                f.put(&format!("{HOME}/trails/t/status.json"), &content);
            }
        };
        let stopped = status(json!({"IsLogging": false}));
        let late = status(json!({
            "IsLogging": true, "LatestCloudWatchLogsDeliveryTime": "2026-05-30T20:00:00Z",
        }));
        let public = policy(json!([{
            "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::trail-files/*",
        }]));
        vec![
            Case::new(
                "LOG-01",
                &clean,
                &[
                    &with(json!({"IsMultiRegionTrail": false})),
                    &with(json!({"IncludeGlobalServiceEvents": false})),
                    &stopped,
                    &select("WriteOnly", &[]),
                    &|f| {
                        f.put(&format!("{HOME}/trails.json"), &json!({"trailList": []}));
                    },
                ],
            ),
            Case::new("LOG-02", &clean, &[&with(json!({"LogFileValidationEnabled": false}))]),
            Case::new("LOG-03", &clean, &[&with(json!({"KmsKeyId": ""}))]),
            Case::new(
                "LOG-04",
                &clean,
                &[&late, &with(json!({"CloudWatchLogsLogGroupArn": null}))],
            ),
            Case::new(
                "LOG-05",
                &clean,
                &[&|f| {
                    f.files.remove("s3/trail-files/policy.json.error");
                    f.put("s3/trail-files/policy.json", &json!({"Policy": public.to_string()}));
                }],
            ),
            Case::new(
                "LOG-06",
                &clean,
                &[&|f| {
                    f.text("s3/trail-files/logging.json", "");
                }],
            ),
            Case::new(
                "LOG-07",
                &clean,
                &[&|f| {
                    f.files.remove("s3/trail-files/object-lock.json");
                    let none = "(ObjectLockConfigurationNotFoundError)";
                    f.text("s3/trail-files/object-lock.json.error", none);
                }],
            ),
            Case::new(
                "LOG-08",
                &clean,
                &[
                    &select("All", &["arn:aws:s3:::other/"]),
                    &select("WriteOnly", &["arn:aws:s3"]),
                    &select("ReadOnly", &["arn:aws:s3"]),
                ],
            ),
            Case::new("LOG-09", &clean, &[&with(json!({"HasInsightSelectors": false}))]),
            Case::new("LOG-10", &clean, &[&with(json!({"IsOrganizationTrail": false})), &stopped]),
            Case::new(
                "LOG-11",
                &clean,
                &[&|f| {
                    let arn = format!("arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:g:*");
                    let group = json!({"logGroupName": "g", "arn": arn, "retentionInDays": 90});
                    f.put(&format!("{HOME}/log-groups.json"), &json!({"logGroups": [group]}));
                }],
            ),
            Case::new(
                "LOG-13",
                &clean,
                &[
                    &|f| {
                        let state = json!([{"name": "r", "recording": false}]);
                        let content = json!({"ConfigurationRecordersStatus": state});
                        f.put(&format!("{HOME}/recorder-status.json"), &content);
                    },
                    &|f| {
                        let recorder =
                            json!({"name": "r", "recordingGroup": {"allSupported": true}});
                        let list = json!({"ConfigurationRecorders": [recorder]});
                        f.put(&format!("{HOME}/recorders.json"), &list);
                    },
                    &|f| {
                        let list =
                            json!([{"RegionName": "eu-west-1"}, {"RegionName": "us-east-1"}]);
                        f.put("regions.json", &json!({"Regions": list}));
                    },
                ],
            ),
        ]
    }
}
