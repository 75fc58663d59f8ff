//! Who we say that we are.

use std::path::Path;

use scraper::job::{Authorization, OAuth2, Secret};

use super::super::super::error::{Place, Problem};
use super::super::super::raw::{self, given, items, or_default, pairs};
use super::super::value;
use super::{proxy, secret, tls};

/// `Authorization: Bearer …` unless another scheme is written.
const BEARER: &str = "Bearer";

/// The one way that is written.
pub(super) fn authorization(
    raw: &raw::Client,
    base_dir: &Path,
) -> Result<Option<Authorization>, Problem> {
    let bearer = secret(
        &raw.bearer_token,
        &raw.bearer_token_file,
        "at most one of bearer_token & bearer_token_file must be configured",
        base_dir,
    )?;
    let basic = given(&raw.basic_auth).map(|(section, _)| basic(section, base_dir)).transpose()?;
    let credentials = given(&raw.authorization).map(|(section, _)| credentials(section, base_dir));
    let credentials = credentials.transpose()?;
    let bearer = bearer.map(|(credentials, place)| {
        (Authorization::Credentials { scheme: BEARER.to_owned(), credentials }, place)
    });
    let oauth2 = given(&raw.oauth2).map(|(section, place)| oauth2(section, place, base_dir));
    let oauth2 = oauth2.transpose()?;
    if let Some((_, place)) = bearer.as_ref().filter(|_| basic.is_some() || oauth2.is_some()) {
        let what = "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be \
                    configured";
        return Err(Problem::new(*place, what, "keep one"));
    }
    if let (Some((_, place)), Some(_)) = (&bearer, &credentials) {
        let what = "authorization is not compatible with bearer_token & bearer_token_file";
        return Err(Problem::new(*place, what, "keep `authorization`"));
    }
    let others = [basic.is_some(), oauth2.is_some(), credentials.is_some()];
    if others.into_iter().filter(|is_there| *is_there).count() > 1 {
        let what = "at most one of basic_auth, oauth2 & authorization must be configured";
        let place = match credentials.is_some() {
            true => value::place(&raw.authorization),
            false => value::place(&raw.oauth2),
        };
        return Err(Problem::new(place, what, "keep one"));
    }
    Ok(bearer.map(|(bearer, _)| bearer).or(basic).or(oauth2).or(credentials))
}

fn basic(raw: &raw::BasicAuth, base_dir: &Path) -> Result<Authorization, Problem> {
    let what =
        "at most one of basic_auth password, password_file & password_ref must be configured";
    let password = secret(&raw.password, &raw.password_file, what, base_dir)?;
    let what =
        "at most one of basic_auth username, username_file & username_ref must be configured";
    let username = secret(&raw.username, &raw.username_file, what, base_dir)?;
    let username = username.map_or(Secret::Inline(String::new()), |(username, _)| username);
    Ok(Authorization::Basic { username, password: password.map(|(password, _)| password) })
}

fn credentials(raw: &raw::Authorization, base_dir: &Path) -> Result<Authorization, Problem> {
    let what = "at most one of authorization credentials & credentials_file must be configured";
    let credentials = secret(&raw.credentials, &raw.credentials_file, what, base_dir)?;
    let written = or_default(&raw.kind, String::new());
    let scheme = Some(written.trim()).filter(|scheme| !scheme.is_empty()).unwrap_or(BEARER);
    if scheme.eq_ignore_ascii_case("basic") {
        let what = "authorization type cannot be set to \"basic\", use \"basic_auth\" instead";
        let cure = "it takes `username` and `password`";
        return Err(Problem::new(value::place(&raw.kind), what, cure));
    }
    let credentials = credentials.map(|(secret, _)| secret);
    let credentials = credentials.unwrap_or(Secret::Inline(String::new()));
    Ok(Authorization::Credentials { scheme: scheme.to_owned(), credentials })
}

fn oauth2(raw: &raw::OAuth2, place: Place, base_dir: &Path) -> Result<Authorization, Problem> {
    let missing = |name: &str, cure: &str| {
        Problem::new(place, format!("oauth2 {name} must be configured"), cure)
    };
    let client_id = value::text(&raw.client_id);
    let (client_id, _) = client_id.ok_or_else(|| missing("client_id", "add who asks"))?;
    let token_url = given(&raw.token_url).filter(|(url, _)| !url.0.is_empty());
    let (token_url, url_place) =
        token_url.ok_or_else(|| missing("token_url", "add where tokens are asked for"))?;
    value::http_url(&token_url.0, url_place)?;
    let what = "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must \
                be configured";
    let secret = secret(&raw.client_secret, &raw.client_secret_file, what, base_dir)?;
    let params = pairs(&raw.endpoint_params).iter();
    let params =
        params.map(|(name, value)| (name.value.clone(), value.value.clone().unwrap_or_default()));
    Ok(Authorization::OAuth2(Box::new(OAuth2 {
        client_id: client_id.to_owned(),
        client_secret: secret.map_or(Secret::Inline(String::new()), |(secret, _)| secret),
        scopes: value::texts(items(&raw.scopes)),
        token_url: token_url.0.clone(),
        params: params.collect(),
        tls: tls::tls(&raw.tls_config, base_dir)?,
        proxy: proxy::proxy(&raw.proxy)?,
    })))
}
