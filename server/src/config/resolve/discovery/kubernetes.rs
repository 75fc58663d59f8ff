//! `kubernetes_sd_configs`.

use std::path::Path;

use scraper::discover::kubernetes::{
    AttachMetadata, KubernetesOptions, Namespaces, Role, Selector,
};
use scraper::job::ClientOptions;

use super::super::super::error::{Place, Problem};
use super::super::super::nearest::nearest;
use super::super::super::raw::{self, KubernetesConfig, given, items, or_default, section};
use super::super::super::yaml::Value;
use super::{client, value};

/// Decides what is found in Kubernetes, and whom to ask.
pub(super) fn kubernetes(
    (raw, place): (&KubernetesConfig, Place),
    base_dir: &Path,
) -> Result<KubernetesOptions, Problem> {
    let role = role(&raw.role)?.ok_or_else(|| {
        let what = "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)";
        Problem::new(place, what, "add `role`")
    })?;
    let options = KubernetesOptions {
        role,
        api_server: given(&raw.api_server).map(|(url, _)| url.0.clone()).filter(|u| !u.is_empty()),
        kubeconfig: value::path(&raw.kubeconfig_file, base_dir),
        namespaces: namespaces(raw),
        selectors: selectors(raw, role)?,
        attach_metadata: attach_metadata(raw),
        client: client::client(&raw.client, base_dir)?,
    };
    connection(raw, &options, place)?;
    Ok(options)
}

/// Whether what says how to connect fits together.
fn connection(
    raw: &KubernetesConfig,
    options: &KubernetesOptions,
    place: Place,
) -> Result<(), Problem> {
    let is_custom = options.client != ClientOptions::default();
    let (server, file) = (options.api_server.is_some(), options.kubeconfig.is_some());
    let file_place = value::place(&raw.kubeconfig_file);
    let namespaces = value::place(&raw.namespaces);
    let rows = [
        (
            file && server,
            file_place,
            "cannot use 'kubeconfig_file' and 'api_server' simultaneously",
            "keep one",
        ),
        (
            file && is_custom,
            file_place,
            "cannot use a custom HTTP client configuration together with 'kubeconfig_file'",
            "write it in the kubeconfig",
        ),
        (
            !server && is_custom,
            place,
            "to use custom HTTP client configuration please provide the 'api_server' URL explicitly",
            "add `api_server`",
        ),
        (
            server && options.namespaces.own,
            namespaces,
            "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously",
            "write the namespace in `names`",
        ),
        (
            file && options.namespaces.own,
            namespaces,
            "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously",
            "write the namespace in `names`",
        ),
    ];
    match rows.into_iter().find(|(is_wrong, ..)| *is_wrong) {
        Some((_, place, what, cure)) => Err(Problem::new(place, what, cure)),
        None => match given(&raw.api_server).filter(|(url, _)| !url.0.is_empty()) {
            Some((url, place)) => value::http_url(&url.0, place),
            None => Ok(()),
        },
    }
}

fn role(field: &Option<Value<String>>) -> Result<Option<Role>, Problem> {
    let Some((text, place)) = value::text(field) else { return Ok(None) };
    let names = || Role::ALL.into_iter().map(Role::as_str);
    let known = Role::ALL.into_iter().find(|role| role.as_str() == text);
    known.map(Some).ok_or_else(|| {
        let what = format!("unknown Kubernetes SD role {text:?}");
        let meant = nearest(text, names()).map(|near| format!("did you mean `{near}`?"));
        let list = || format!("write one of {}", names().collect::<Vec<_>>().join(", "));
        Problem::new(place, what, meant.unwrap_or_else(list))
    })
}

fn namespaces(raw: &KubernetesConfig) -> Namespaces {
    let Some(namespaces) = section(&raw.namespaces) else { return Namespaces::default() };
    Namespaces {
        own: or_default(&namespaces.own_namespace, false),
        names: value::texts(items(&namespaces.names)),
    }
}

fn attach_metadata(raw: &KubernetesConfig) -> AttachMetadata {
    let Some(attach) = section(&raw.attach_metadata) else { return AttachMetadata::default() };
    AttachMetadata {
        node: or_default(&attach.node, false),
        namespace: or_default(&attach.namespace, false),
    }
}

/// Whose selectors a role may have.
fn allowed(role: Role) -> &'static [Role] {
    match role {
        Role::Pod => &[Role::Pod, Role::Node],
        Role::Service => &[Role::Service],
        Role::EndpointSlice => &[Role::Pod, Role::Service, Role::EndpointSlice],
        Role::Endpoints => &[Role::Pod, Role::Service, Role::Endpoints],
        Role::Node => &[Role::Node],
        Role::Ingress => &[Role::Ingress],
    }
}

fn selectors(raw: &KubernetesConfig, of: Role) -> Result<Vec<Selector>, Problem> {
    let mut selectors: Vec<Selector> = Vec::new();
    for item in items(&raw.selectors) {
        let nothing = raw::Selector::default();
        let selector = item.value.as_ref().unwrap_or(&nothing);
        let place = selector.role.as_ref().map_or(item.place, |at| at.place);
        let role = role(&selector.role)?;
        if let Some(role) = role.filter(|role| selectors.iter().any(|one| one.role == *role)) {
            let what = format!("duplicated selector role: {}", role.as_str());
            return Err(Problem::new(place, what, "join the two"));
        }
        let Some(role) = role.filter(|role| allowed(of).contains(role)) else {
            let names: Vec<&str> = allowed(of).iter().map(|role| role.as_str()).collect();
            let names = names.join(", ");
            let what = format!("{} role supports only {names} selectors", of.as_str());
            return Err(Problem::new(place, what, "write the `role` of the objects"));
        };
        selectors.push(Selector {
            role,
            label: or_default(&selector.label, String::new()),
            field: or_default(&selector.field, String::new()),
        });
    }
    Ok(selectors)
}
