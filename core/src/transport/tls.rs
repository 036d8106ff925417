//! TLS: rustls with ring, the system's roots or the caller's.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

#[cfg(feature = "postgres")]
use crate::config::ServerTls;
use crate::config::{CaMode, Config, bad_config};
use crate::error::{Error, ErrorCode};

/// Where the distributions keep their roots. Listed here because the usual finders also read
/// SSL_CERT_FILE, and this library reads the environment only when told to.
#[cfg(all(unix, not(target_os = "macos")))]
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The TLS configuration that both HTTP clients share (and with it the session cache).
pub(crate) fn client_config(config: &Config) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &config.ca_file {
        let added = add_pem(&mut roots, Path::new(file)).map_err(|e| bad_config("/caFile", e))?;
        if added == 0 {
            return Err(bad_config("/caFile", "holds no certificate"));
        }
    }
    // Reading the system's roots costs milliseconds: only who needs them pays.
    let needs_system = config.ca_file.is_none() || config.ca_mode == CaMode::Add;
    if needs_system && config.base_url.scheme() == "https" {
        add_system(&mut roots);
        if roots.is_empty() {
            return Err(bad_config("/caFile", "the system has no root certificates; name a PEM file"));
        }
    }
    with_client_cert(roots, config.client_cert.as_ref(), "")
}

/// The TLS configuration for a store's server.
#[cfg(feature = "postgres")]
pub(crate) fn server_config(tls: &ServerTls) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    match &tls.ca_file {
        Some(file) => {
            let added = add_pem(&mut roots, Path::new(file)).map_err(|e| bad_config("/store/caFile", e))?;
            if added == 0 {
                return Err(bad_config("/store/caFile", "holds no certificate"));
            }
        }
        None => add_system(&mut roots),
    }
    if roots.is_empty() {
        return Err(bad_config("/store/caFile", "the system has no root certificates; name a PEM file"));
    }
    with_client_cert(roots, tls.client_cert.as_ref(), "/store")
}

fn with_client_cert(
    roots: RootCertStore,
    client_cert: Option<&(String, String)>,
    at: &str,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorCode::Internal, format!("TLS versions: {e}")))?
        .with_root_certificates(roots);
    match client_cert {
        None => Ok(builder.with_no_client_auth()),
        Some((cert, key)) => {
            let (cert_at, key_at) = (format!("{at}/clientCertFile"), format!("{at}/clientKeyFile"));
            let chain = certificates(Path::new(cert)).map_err(|e| bad_config(&cert_at, e))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| bad_config(&key_at, e.to_string()))?;
            builder.with_client_auth_cert(chain, key).map_err(|e| bad_config(&cert_at, e.to_string()))
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| format!("cannot be read: {e}"))
}

fn add_pem(roots: &mut RootCertStore, file: &Path) -> Result<usize, String> {
    let (added, _ignored) = roots.add_parsable_certificates(certificates(file)?);
    Ok(added)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn add_system(roots: &mut RootCertStore) {
    if let Some(bundle) = BUNDLES.iter().map(Path::new).find(|p| p.exists()) {
        let _ = add_pem(roots, bundle);
    }
    if roots.is_empty() {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(Path::new("/etc/ssl/certs")));
        roots.add_parsable_certificates(found.certs);
    }
}

/// Elsewhere the roots are in the system's own store.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn add_system(roots: &mut RootCertStore) {
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
}
