//! Why a data file was refused.

/// Why a catalog data file was refused. A file is taken whole or not at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The file does not begin with the mark of a catalog.
    #[error("this is not a catalog data file: it does not begin with the mark `BWCATLOG`")]
    NotACatalog,
    /// The file has a format that this version cannot read.
    #[error("the data file has format {found}, but this version reads only format {supported}")]
    Format {
        /// The format number that the file states.
        found: u16,
        /// The one format number that is read: [`crate::FORMAT_VERSION`].
        supported: u16,
    },
    /// The file is shorter or longer than it says it is.
    #[error("the data file says that it has {stated} bytes, but {found} were read")]
    Length {
        /// Bytes that the file states.
        stated: u64,
        /// Bytes at hand.
        found: u64,
    },
    /// The file's content does not fit its checksum.
    #[error(
        "the data file is damaged: its checksum is {stated:08x}, but its content gives {found:08x}"
    )]
    Checksum {
        /// The checksum that the file states.
        stated: u32,
        /// The checksum of what was read.
        found: u32,
    },
    /// A part of the file breaks a limit or cannot be understood.
    #[error("the data file cannot be understood in its {part}: {problem}")]
    Malformed {
        /// The part of the file, in words.
        part: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl CatalogError {
    pub(crate) const fn malformed(part: &'static str, problem: &'static str) -> Self {
        Self::Malformed { part, problem }
    }
}
