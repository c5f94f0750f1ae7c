//! Writes a folder as a trail fills it: `.json.gz` files of events by region and hour, and digests.
//!
//! `cargo run --release -p bailiwick-cli --example trail -- SEED EVENTS FOLDER [DAYS]`. The same seed
//! gives the same events. They end on 2026-05-31 at midnight, as the fixtures' accounts do.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    missing_docs,
    reason = "an example"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{Timestamp, ToSpan as _};

const ACCOUNT: &str = "123456789012";
const REGIONS: [&str; 4] = ["eu-west-1", "us-east-1", "eu-central-1", "us-west-2"];
const CALLS: [(&str, &str, bool); 24] = [
    ("ec2", "DescribeInstances", true),
    ("ec2", "DescribeNetworkInterfaces", true),
    ("ec2", "RunInstances", false),
    ("s3", "ListObjects", true),
    ("s3", "GetBucketLocation", true),
    ("s3", "PutObject", false),
    ("sts", "AssumeRole", true),
    ("sts", "GetCallerIdentity", true),
    ("iam", "GetRole", true),
    ("iam", "ListAttachedRolePolicies", true),
    ("kms", "Decrypt", true),
    ("kms", "GenerateDataKey", true),
    ("monitoring", "DescribeAlarms", true),
    ("logs", "DescribeLogStreams", true),
    ("logs", "CreateLogStream", false),
    ("lambda", "GetFunction20150331v2", true),
    ("lambda", "UpdateFunctionCode20150331v2", false),
    ("dynamodb", "DescribeTable", true),
    ("secretsmanager", "GetSecretValue", true),
    ("ssm", "GetParameters", true),
    ("autoscaling", "DescribeAutoScalingGroups", true),
    ("elasticloadbalancing", "DescribeTargetHealth", true),
    ("cloudformation", "DescribeStacks", true),
    ("rds", "DescribeDBInstances", true),
];

/// SplitMix64: enough for what is to look various.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [seed, events, folder, days @ ..] = args.as_slice() else {
        println!("SEED EVENTS FOLDER [DAYS]");
        return;
    };
    let events: u64 = events.parse().unwrap();
    let days: u64 = days.first().map_or(95, |days| days.parse().unwrap());
    let mut random = Random(seed.parse().unwrap());
    let hours = days * 24;
    let slots = hours * REGIONS.len() as u64;
    let end: Timestamp = "2026-05-31T00:00:00Z".parse().unwrap();
    let start = end - i64::try_from(hours).unwrap().hours();
    let mut written = 0;
    for hour in 0..hours {
        for (number, region) in REGIONS.iter().enumerate() {
            let slot = hour * REGIONS.len() as u64 + number as u64;
            let upto = events * (slot + 1) / slots;
            let at = start + i64::try_from(hour).unwrap().hours();
            let mut text = "{\"Records\":[".to_owned();
            for place in written..upto {
                if place > written {
                    text.push(',');
                }
                event(&mut text, &mut random, region, at);
            }
            text.push_str("]}");
            let day = at.strftime("%Y/%m/%d").to_string();
            let stamp = at.strftime("%Y%m%dT%H%MZ").to_string();
            let name = format!("{ACCOUNT}_CloudTrail_{region}_{stamp}_{}.json.gz", random.uuid());
            let log = format!("AWSLogs/{ACCOUNT}/CloudTrail/{region}/{day}/{name}");
            let mut listed = String::new();
            if upto > written {
                write(&Path::new(folder).join(&log), &text);
                listed = format!("{{\"s3Bucket\":\"trail\",\"s3Object\":\"{log}\"}}");
            }
            written = upto;
            let digest = format!(
                "AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/{day}/{ACCOUNT}_CloudTrail-Digest_{region}_main_{stamp}.json.gz"
            );
            let text = format!(
                "{{\"awsAccountId\":\"{ACCOUNT}\",\"digestStartTime\":\"{at}\",\"digestEndTime\":\"{}\",\"digestS3Object\":\"{digest}\",\"logFiles\":[{listed}]}}",
                at + 1.hour()
            );
            write(&Path::new(folder).join(&digest), &text);
        }
    }
    println!("{written} events in {folder}");
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut out = GzEncoder::new(std::fs::File::create(path).unwrap(), Compression::new(6));
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap();
}

fn event(text: &mut String, random: &mut Random, region: &str, hour: Timestamp) {
    let (service, name, reads) = CALLS[random.below(CALLS.len() as u64) as usize];
    let at = hour + i64::try_from(random.below(3600)).unwrap().seconds();
    let who = random.below(300);
    let identity = if who < 60 {
        format!(
            r#"{{"type":"IAMUser","principalId":"AIDAEXAMPLE{who:010}","arn":"arn:aws:iam::{ACCOUNT}:user/user-{who}","accountId":"{ACCOUNT}","accessKeyId":"AKIAEXAMPLE{who:09}","userName":"user-{who}"}}"#
        )
    } else {
        let session = random.below(100_000);
        format!(
            r#"{{"type":"AssumedRole","principalId":"AROAEXAMPLE{who:010}:i-{session:017x}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/role-{who}/i-{session:017x}","accountId":"{ACCOUNT}","accessKeyId":"ASIAEXAMPLE{session:09}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{who:010}","arn":"arn:aws:iam::{ACCOUNT}:role/service/role-{who}","accountId":"{ACCOUNT}","userName":"role-{who}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"{hour}","mfaAuthenticated":"false"}}}}}}"#
        )
    };
    let asked = match name {
        "AssumeRole" => format!(
            r#"{{"roleArn":"arn:aws:iam::{ACCOUNT}:role/service/role-{}","roleSessionName":"i-{:017x}","durationSeconds":3600}}"#,
            60 + random.below(240),
            random.below(1 << 40)
        ),
        "ListObjects" | "GetBucketLocation" | "PutObject" => format!(
            r#"{{"bucketName":"data-{}","Host":"data.s3.{region}.amazonaws.com","prefix":"reports/2026/{}/","list-type":"2","x-amz-acl":"private"}}"#,
            random.below(40),
            random.below(1000)
        ),
        _ => format!(
            r#"{{"filterSet":{{"items":[{{"name":"vpc-id","valueSet":{{"items":[{{"value":"vpc-{:017x}"}}]}}}}]}},"instancesSet":{{"items":[{{"instanceId":"i-{:017x}"}}]}},"maxResults":100,"nextToken":"{}"}}"#,
            random.below(1 << 40),
            random.below(1 << 40),
            random.uuid()
        ),
    };
    let failed = if random.below(50) == 0 {
        format!(
            r#""errorCode":"AccessDenied","errorMessage":"User is not authorized to perform: {service}:{name} because no identity-based policy allows the {service}:{name} action","#
        )
    } else {
        String::new()
    };
    let answered = if reads {
        "null".to_owned()
    } else {
        format!(r#"{{"requestId":"{}","_return":true}}"#, random.uuid())
    };
    let _ = write!(
        text,
        r#"{{"eventVersion":"1.11","userIdentity":{identity},"eventTime":"{at}","eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"198.51.100.{}","userAgent":"aws-sdk-java/1.12.{} Linux/5.10.0-28.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.9+9-LTS cfg/retry-mode/standard","#,
        who % 250,
        who % 40
    );
    let _ = write!(
        text,
        r#"{failed}"requestParameters":{asked},"responseElements":{answered},"requestID":"{}","eventID":"{}","readOnly":{reads},"resources":[{{"accountId":"{ACCOUNT}","type":"AWS::{service}::Thing","ARN":"arn:aws:{service}:{region}:{ACCOUNT}:thing/{}"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{ACCOUNT}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{service}.{region}.amazonaws.com"}}}}"#,
        random.uuid(),
        random.uuid(),
        random.below(1000)
    );
}
