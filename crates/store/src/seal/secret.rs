//! Bytes that do not print and are wiped when dropped (L04).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

/// Secret bytes. The type has no `Debug`, no `Display` and no serialization, so that a secret cannot
/// slip into a log line; comparing takes the same time wherever the bytes differ (A10).
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; they are wiped when the secret is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Whoever copies them has to wipe the copy.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keyring;

    /// The inherent function is chosen only for types that implement the trait.
    macro_rules! prints {
        ($type:ty, $trait:path) => {{
            #[allow(dead_code, reason = "not chosen when the trait is implemented")]
            trait Fallback {
                fn prints() -> bool {
                    false
                }
            }
            impl<T> Fallback for Probe<T> {}
            struct Probe<T>(std::marker::PhantomData<T>);
            #[allow(dead_code, reason = "not chosen when the trait is missing")]
            impl<T: $trait> Probe<T> {
                fn prints() -> bool {
                    true
                }
            }
            Probe::<$type>::prints()
        }};
    }

    #[test]
    fn tm_l04_secrets_do_not_print() {
        assert!(prints!(String, std::fmt::Debug), "the probe sees a type that prints");
        assert!(!prints!(Secret, std::fmt::Debug));
        assert!(!prints!(Secret, std::fmt::Display));
        assert!(!prints!(Keyring, std::fmt::Debug));
        assert!(!prints!(Keyring, std::fmt::Display));
    }

    #[test]
    fn equality_is_by_content() {
        assert!(Secret::new(vec![1, 2]) == Secret::new(vec![1, 2]));
        assert!(Secret::new(vec![1, 2]) != Secret::new(vec![1, 3]));
        assert!(Secret::new(vec![1, 2]) != Secret::new(vec![1]));
    }
}
