//! The certificates the operating system trusts.

#[cfg(feature = "native-roots")]
pub(crate) fn native_roots() -> Result<Vec<Vec<u8>>, String> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!("none found {}", why.join("; ")));
    }
    Ok(found.certs.iter().map(|cert| cert.to_vec()).collect())
}

#[cfg(not(feature = "native-roots"))]
pub(crate) fn native_roots() -> Result<Vec<Vec<u8>>, String> {
    Err("this build lacks the feature `native-roots`".into())
}
