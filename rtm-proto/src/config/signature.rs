//! How files are signed.

/// How the signature of a file is computed, and where it travels.
///
/// The two are different signatures, and which a service accepts is for its
/// operator to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FileSignature {
    /// As in the JavaScript SDK of 2020: upper-case hexadecimal in both
    /// hashes, attributes `{"sign", "ext"}`.
    #[default]
    Seed,
    /// As in all newer SDKs: lower-case hexadecimal in both hashes, attributes
    /// `{"rtm": {"sign", "ext", "filename"}, "custom"}`.
    Current,
}
