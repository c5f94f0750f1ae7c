//! `bailiwick env`: the variables that point an AWS client at the server, in a shell's words.

use std::fmt::Write as _;

use bailiwick_wire::Secret;
use clap::ValueEnum;
use zeroize::Zeroizing;

use crate::data_dir::Endpoint;

/// A shell whose words are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Shell {
    /// bash, zsh, dash and their like.
    #[default]
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    Powershell,
}

/// Clients pick these before the key that is set here.
const UNSET: &[&str] = &["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
const REGION: &str = "us-east-1";

/// The lines for `shell`. They hold the secret: they go to standard output, for the shell to
/// read, and nowhere else.
pub(crate) fn lines(
    shell: Shell,
    endpoint: &Endpoint,
    access_key_id: &str,
    secret: &Secret,
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    let mut set = |name: &str, value: &str| {
        let value = quote(shell, value);
        let _ = match shell {
            Shell::Sh => writeln!(text, "export {name}={}", *value),
            Shell::Fish => writeln!(text, "set -gx {name} {};", *value),
            Shell::Powershell => writeln!(text, "$Env:{name} = {}", *value),
        };
    };
    set("AWS_ENDPOINT_URL", &endpoint.url);
    set("AWS_ACCESS_KEY_ID", access_key_id);
    set("AWS_SECRET_ACCESS_KEY", secret.expose());
    set("AWS_REGION", REGION);
    set("AWS_DEFAULT_REGION", REGION);
    if let Some(bundle) = &endpoint.ca_bundle {
        set("AWS_CA_BUNDLE", bundle);
    }
    for name in UNSET {
        let _ = match shell {
            Shell::Sh => writeln!(text, "unset {name}"),
            Shell::Fish => writeln!(text, "set -e {name};"),
            Shell::Powershell => {
                writeln!(text, "Remove-Item Env:{name} -ErrorAction SilentlyContinue")
            }
        };
    }
    text
}

/// A word that the shell takes as it stands.
fn quote(shell: Shell, value: &str) -> Zeroizing<String> {
    let inner = match shell {
        Shell::Sh => value.replace('\'', r"'\''"),
        Shell::Fish => value.replace('\\', r"\\").replace('\'', r"\'"),
        Shell::Powershell => value.replace('\'', "''"),
    };
    let inner = Zeroizing::new(inner);
    Zeroizing::new(format!("'{}'", *inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_shell_reads_the_lines_back() {
        let nasty = "a'b\"c$HOME`id`\\d e;f";
        let endpoint = Endpoint { url: nasty.into(), ca_bundle: Some("/data dir/ca.pem".into()) };
        let text = lines(Shell::Sh, &endpoint, "AKIAAAAAAAAAAAAAAAAA", &Secret::new("s/e+c="));
        let script = format!(
            "{}printf '%s|%s|%s|%s|%s' \"$AWS_ENDPOINT_URL\" \"$AWS_ACCESS_KEY_ID\" \
             \"$AWS_SECRET_ACCESS_KEY\" \"$AWS_CA_BUNDLE\" \"${{AWS_PROFILE-unset}}\"",
            *text
        );
        let shell = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("AWS_PROFILE", "other")
            .output()
            .unwrap();
        let expected = format!("{nasty}|AKIAAAAAAAAAAAAAAAAA|s/e+c=|/data dir/ca.pem|unset");
        assert_eq!(String::from_utf8(shell.stdout).unwrap(), expected);
    }

    #[test]
    fn words_are_quoted_for_each_shell() {
        for (shell, expected) in [
            (Shell::Sh, r"'a'\''b\c'"),
            (Shell::Fish, r"'a\'b\\c'"),
            (Shell::Powershell, r"'a''b\c'"),
        ] {
            assert_eq!(*quote(shell, r"a'b\c"), expected, "{shell:?}");
        }
    }
}
