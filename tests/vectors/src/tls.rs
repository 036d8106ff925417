//! Certificates of a test authority, created for each run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use time::{Duration, OffsetDateTime};

use crate::vector::Listen;

/// A certificate and its key.
struct Pair {
    certificate: Certificate,
    key: KeyPair,
}

/// The certificates: PEM files for the clients, and server configurations.
pub struct Authority {
    pub directory: PathBuf,
    good: Pair,
    expired: Pair,
    not_yet: Pair,
    wrong_host: Pair,
    unknown: Pair,
    ca: Certificate,
}

type Error = Box<dyn std::error::Error>;

fn authority(name: &str) -> Result<(Certificate, Issuer<'static, KeyPair>), Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn leaf(issuer: &Issuer<'static, KeyPair>, names: &[&str], from: i64, to: i64) -> Result<Pair, Error> {
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())?;
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now + Duration::days(from), now + Duration::days(to));
    let key = KeyPair::generate()?;
    Ok(Pair { certificate: params.signed_by(&key, issuer)?, key })
}

impl Authority {
    /// Creates the certificates and writes the PEM files.
    pub fn new(directory: &Path) -> Result<Authority, Error> {
        std::fs::create_dir_all(directory)?;
        let here = &["localhost", "127.0.0.1"][..];
        let (ca, issuer) = authority("Vectors CA")?;
        let (other_ca, other_issuer) = authority("Another CA")?;
        let client = leaf(&issuer, &["client.example"], -1, 30)?;
        let stranger = leaf(&other_issuer, &["client.example"], -1, 30)?;
        let write = |name: &str, text: String| std::fs::write(directory.join(name), text);
        write("ca.pem", ca.pem())?;
        write("other-ca.pem", other_ca.pem())?;
        write("client.pem", client.certificate.pem())?;
        write("client.key", client.key.serialize_pem())?;
        write("stranger.pem", stranger.certificate.pem())?;
        write("stranger.key", stranger.key.serialize_pem())?;
        write("empty.pem", String::new())?;
        Ok(Authority {
            directory: directory.to_owned(),
            good: leaf(&issuer, here, -1, 30)?,
            expired: leaf(&issuer, here, -30, -1)?,
            not_yet: leaf(&issuer, here, 30, 60)?,
            wrong_host: leaf(&issuer, &["elsewhere.example"], -1, 30)?,
            unknown: leaf(&other_issuer, here, -1, 30)?,
            ca,
        })
    }

    /// The TLS configuration of the server; None without TLS.
    pub fn server(&self, listen: Listen) -> Result<Option<Arc<ServerConfig>>, Error> {
        let pair = match listen {
            Listen::Tls | Listen::TlsClientCert => &self.good,
            Listen::TlsExpired => &self.expired,
            Listen::TlsNotYet => &self.not_yet,
            Listen::TlsWrongHost => &self.wrong_host,
            Listen::TlsUnknownCa => &self.unknown,
            Listen::Plain | Listen::TlsGarbage | Listen::Dead | Listen::Full => return Ok(None),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let builder = if listen == Listen::TlsClientCert {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(self.ca.der().clone())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.key.serialize_der()));
        Ok(Some(Arc::new(builder.with_single_cert(vec![pair.certificate.der().clone()], key)?)))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
