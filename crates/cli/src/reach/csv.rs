//! Rows of comma-separated values.

/// One row, with its line end. What a spreadsheet would take for a formula is quoted as text.
pub(crate) fn row<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|text| field(text.as_ref())).collect();
    fields.join(",") + "\r\n"
}

fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted() {
        assert_eq!(row(["a", "b,c", "d\"e", "=1+1"]), "a,\"b,c\",\"d\"\"e\",'=1+1\r\n");
    }
}
