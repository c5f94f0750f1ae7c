//! From the model's names to Rust's.

/// Words that a field may not be named without `r#`.
const KEYWORDS: &[&str] =
    &["type", "match", "use", "ref", "move", "self", "where", "in", "as", "for", "enum"];

pub(super) fn operation_table(name: &str) -> String {
    format!("OP_{}", snake(name).to_uppercase())
}

pub(super) fn error_table(name: &str) -> String {
    format!("ERROR_{}", snake(name).to_uppercase())
}

/// Names of shapes may differ in case alone (`Tag`, `tag`): lower-case ones are marked.
fn marked(name: &str) -> String {
    let mark = if name.starts_with(|c: char| c.is_ascii_lowercase()) { "L_" } else { "" };
    format!("{mark}{}", snake(name).to_uppercase())
}

pub(super) fn structure_table(name: &str) -> String {
    format!("STRUCTURE_{}", marked(name))
}

pub(super) fn type_table(name: &str) -> String {
    format!("TYPE_{}", marked(name))
}

pub(super) fn capitalize(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub(super) fn field_name(member: &str) -> String {
    let name = snake(member);
    if KEYWORDS.contains(&name.as_str()) { format!("r#{name}") } else { name }
}

/// `SSHPublicKeyId` is `ssh_public_key_id`; `OpenIDConnect` and `ClientIDs` keep `id` whole.
fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out = String::new();
    for (index, &c) in chars.iter().enumerate() {
        if c == '_' || c == '-' {
            out.push('_');
            continue;
        }
        if c.is_ascii_uppercase() && index > 0 {
            let before = at(index - 1);
            let after = at(index + 1);
            let plural = after == 's' && !at(index + 2).is_ascii_lowercase();
            let starts_word = before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase() && !plural);
            if starts_word && !out.ends_with('_') {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (model, rust) in [
            ("UserName", "user_name"),
            ("SSHPublicKeyId", "ssh_public_key_id"),
            ("OpenIDConnectProviderArn", "open_id_connect_provider_arn"),
            ("ClientIDList", "client_id_list"),
            ("SAMLMetadataDocument", "saml_metadata_document"),
            ("Base32StringSeed", "base32_string_seed"),
            ("QRCodePNG", "qr_code_png"),
            ("AuthenticationCode1", "authentication_code1"),
            ("MFADevices", "mfa_devices"),
            ("ResourceARNs", "resource_arns"),
            ("arn", "arn"),
        ] {
            assert_eq!(snake(model), rust);
        }
        assert_eq!(field_name("Type"), "r#type");
    }
}
