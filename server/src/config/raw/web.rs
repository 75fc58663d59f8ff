//! The file of `--web.config.file`.

use super::super::error::Place;
use super::super::yaml::{At, Pairs, Value};
use super::{Hidden, List, fields, settings};

settings! {
    /// The whole file.
    Web in WEB {
        tls_server_config: TlsServer,
        http_server_config: HttpServer,
        rate_limit: RateLimit,
        basic_auth_users: Pairs<Value<Hidden>>,
        bearer_tokens_file: String,
    }
}

settings! {
    /// `tls_server_config`.
    TlsServer in TLS_SERVER {
        cert: String,
        key: Hidden,
        client_ca: String,
        cert_file: String,
        key_file: String,
        client_auth_type: String,
        client_ca_file: String,
        cipher_suites: List<String>,
        curve_preferences: List<String>,
        min_version: String,
        max_version: String,
        prefer_server_cipher_suites: bool,
        client_allowed_sans: List<String>,
    }
}

settings! {
    /// `http_server_config`.
    HttpServer in HTTP_SERVER {
        http2: bool,
        headers: Pairs<Value<String>>,
    }
}

settings! {
    /// `rate_limit`.
    RateLimit in RATE_LIMIT {
        interval: String,
        burst: i64,
    }
}
