//! HTTP clients.

use super::super::error::Place;
use super::super::yaml::{At, Pairs, Value};
use super::{Hidden, List, Url, fields, settings};

fields! {
    /// The fields of everything that connects to something.
    Client {
        authorization: Authorization,
        basic_auth: BasicAuth,
        bearer_token: Hidden,
        bearer_token_file: String,
        oauth2: OAuth2,
        tls_config: TlsConfig,
        follow_redirects: bool,
        enable_http2: bool,
        http_headers: Pairs<Value<Header>>,
        ..proxy: ProxyFields,
    }
}

fields! {
    /// The fields of everything that may have a proxy.
    ProxyFields {
        proxy_url: Url,
        no_proxy: String,
        proxy_from_environment: bool,
        proxy_connect_header: Pairs<Value<List<Hidden>>>,
    }
}

settings! {
    /// A file of `--http.config.file`.
    ClientFile in CLIENT_FILE {
        ..client: Client,
    }
}

settings! {
    /// `authorization`.
    Authorization in AUTHORIZATION {
        kind = "type": String,
        credentials: Hidden,
        credentials_file: String,
    }
}

settings! {
    /// `basic_auth`.
    BasicAuth in BASIC_AUTH {
        username: String,
        username_file: String,
        password: Hidden,
        password_file: String,
    }
}

settings! {
    /// `oauth2`.
    OAuth2 in OAUTH2 {
        client_id: String,
        client_secret: Hidden,
        client_secret_file: String,
        scopes: List<String>,
        token_url: Url,
        endpoint_params: Pairs<Value<String>>,
        tls_config: TlsConfig,
        ..proxy: ProxyFields,
    }
}

settings! {
    /// A header of `http_headers`.
    Header in HTTP_HEADER {
        values: List<String>,
        secrets: List<Hidden>,
        files: List<String>,
    }
}

settings! {
    /// `tls_config`.
    TlsConfig in TLS_CONFIG {
        ca: String,
        ca_file: String,
        cert: String,
        cert_file: String,
        key: Hidden,
        key_file: String,
        server_name: String,
        insecure_skip_verify: bool,
        min_version: String,
        max_version: String,
    }
}
