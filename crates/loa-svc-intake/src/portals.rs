//! The portals' API: `GET /v1/portals`, `POST /v1/portals`, `GET /v1/portals/{slug}`,
//! `POST /v1/portals/{slug}/retire`; and for which portal a request is.
//!
//! Looking needs a token of scope `read`, adding and retiring one of scope `operate`. The list itself is `loa_worker::Portals`.

use crate::{IntakeError, Service, api_state::Api, problems::of_error};
use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use jiff::civil::Date;
use loa_domain::{AreaId, HOME, Portal, PortalSlug};
use loa_http::{Caller, Guarded, Problem, ToOperate, ToRead};
use loa_worker::PortalError;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

/// A portal to be added.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPortal {
    /// Its short name in addresses and commands; never changes. `home` is the home portal's.
    pub slug: PortalSlug,
    /// Its name, as people read it: 1 to 200 characters.
    pub name: String,
    /// Its address.
    #[schema(value_type = String, format = "uri")]
    pub url: Url,
    /// The CloudEvents `source` of its events; its address unless given. Never changes.
    #[serde(default)]
    pub source: Option<String>,
    /// The name that its entries' ids are made from (RFC 4151): the host of its address unless given. Never changes.
    #[serde(default)]
    pub tag_authority: Option<String>,
    /// A day on which that name was the portal's own. Never changes.
    #[schema(value_type = String, format = Date)]
    pub tag_date: Date,
    /// The area of what names none and shows none in its text.
    #[serde(default)]
    pub area: Option<AreaId>,
}

/// All portals.
#[derive(Serialize, ToSchema)]
pub(crate) struct PortalsShown {
    /// The home portal, then the others by slug; retired ones too.
    portals: Vec<Portal>,
}

impl NewPortal {
    /// The portal that it is, with what was not given.
    pub fn portal(self) -> Portal {
        let host = self.url.host_str().unwrap_or_default().to_ascii_lowercase();
        Portal {
            source: self.source.unwrap_or_else(|| self.url.to_string()),
            tag_authority: self.tag_authority.unwrap_or(host),
            slug: self.slug,
            name: self.name,
            url: self.url,
            tag_date: self.tag_date,
            area: self.area,
            added_at: jiff::Timestamp::UNIX_EPOCH,
            retired_at: None,
        }
    }
}

impl Service {
    /// Adds a portal. Idempotent. Returns it as it stands, and whether it was there.
    ///
    /// # Errors
    /// `Refused` when it cannot stand beside the others or its area is unknown; `Ledger`.
    pub async fn add_portal(&self, portal: NewPortal) -> Result<(Portal, bool), PortalError> {
        if let Some(area) = portal.area.as_ref().filter(|area| self.0.directory.get(area).is_none()) {
            return Err(PortalError::Refused(loa_domain::PortalRefusal::Field {
                field: "area",
                text: area.to_string(),
                must: "it must be the id of an area of the directory (config/areas)",
            }));
        }
        self.0.portal.portals.add(portal.portal(), &self.0.world).await
    }

    /// Retires a portal. Idempotent.
    ///
    /// # Errors
    /// See [`PortalError`].
    pub async fn retire_portal(&self, slug: &PortalSlug) -> Result<Portal, PortalError> {
        self.0.portal.portals.retire(slug, self.0.world.now()).await
    }

    /// The portal of a slug; `None`: the home portal. The list is read anew before one counts as unknown.
    ///
    /// # Errors
    /// `Portal` when there is none.
    pub async fn portal(&self, slug: Option<&PortalSlug>) -> Result<Portal, IntakeError> {
        let portals = &self.0.portal.portals;
        let Some(slug) = slug else { return Ok(portals.list().home().clone()) };
        if portals.list().get(slug).is_none() {
            portals.refresh().await?;
        }
        portals.get(slug).map_err(IntakeError::of_portal)
    }
}

/// The portal that a caller's request is for: the one it names, else the only one that its token is bound to, else the home
/// portal. 403 when the token is bound to others.
pub(crate) fn asked_for(caller: &Caller, named: Option<&str>) -> Result<PortalSlug, Problem> {
    let read = |text: &str| PortalSlug::new(text).map_err(|error| Problem::new(422, "No portal", error.to_string()));
    let portal = match (named, caller.portals.as_slice()) {
        (Some(named), _) => read(named)?,
        (None, [only]) => only.clone(),
        (None, _) => read(HOME)?,
    };
    if loa_domain::may_publish_for(&caller.portals, &portal) {
        return Ok(portal);
    }
    let bound: Vec<&str> = caller.portals.iter().map(PortalSlug::as_str).collect();
    let detail = format!(
        "this token publishes for {} alone, not for {portal}; use a token of that portal, or name another with `?portal=`",
        bound.join(", ")
    );
    Err(Problem::new(403, "The token is of another portal", detail))
}

/// The portal that a query names.
pub(crate) fn named(query: Option<&str>) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name == "portal").map(|(_, slug)| slug.into_owned())
}

fn problem(error: &PortalError) -> Problem {
    match error {
        PortalError::Ledger(error) => Problem::of_ledger("access", error),
        PortalError::Refused(refusal) => match refusal {
            loa_domain::PortalRefusal::Unknown(_) => Problem::not_found(refusal.to_string()),
            loa_domain::PortalRefusal::Field { field, .. } => {
                Problem::new(422, "The content is not accepted", refusal.to_string()).at(format!("/{field}"))
            }
            _ => Problem::new(409, "The portal cannot be so", refusal.to_string()),
        },
    }
}

/// Lists the portals: who publishes here.
#[utoipa::path(
    get,
    path = "/v1/portals",
    operation_id = "portals",
    tag = "Portals",
    security(("bearer" = ["read"])),
    responses(Guarded, (status = 200, description = "All of them.", body = PortalsShown))
)]
pub(crate) async fn list(State(api): State<Api>, _: ToRead) -> Json<PortalsShown> {
    let list = api.service.0.portal.portals.list();
    Json(PortalsShown { portals: list.iter().cloned().collect() })
}

/// Adds a portal.
///
/// Every process knows it within seconds. Events of its source that wait in the dead letters come to life by a redrive.
/// Idempotent: the same again is no change. Slug, source, and tag authority with its date are one portal's only.
#[utoipa::path(
    post,
    path = "/v1/portals",
    operation_id = "add_portal",
    tag = "Portals",
    security(("bearer" = ["operate"])),
    request_body(content = NewPortal),
    responses(
        Guarded,
        (status = 201, description = "Added.", body = Portal),
        (status = 200, description = "No change: it was there just so.", body = Portal),
        (status = 400, description = "The body is not JSON.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 409, description = "Its slug, source, or tag authority and date are another portal's.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 413, description = "Larger than a portal may be.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 415, description = "The content type is another than JSON.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 422, description = "A field is outside its bounds; `pointer` says which.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(crate) async fn add(
    State(api): State<Api>,
    _: ToOperate,
    body: Result<Json<NewPortal>, JsonRejection>,
) -> Result<(StatusCode, Json<Portal>), Problem> {
    let Json(portal) = body.map_err(Problem::from)?;
    let (portal, was_there) = api.service.add_portal(portal).await.map_err(|error| problem(&error))?;
    Ok((if was_there { StatusCode::OK } else { StatusCode::CREATED }, Json(portal)))
}

/// Shows a portal.
#[utoipa::path(
    get,
    path = "/v1/portals/{slug}",
    operation_id = "portal",
    tag = "Portals",
    security(("bearer" = ["read"])),
    params(("slug" = PortalSlug, Path, description = "Its slug.")),
    responses(
        Guarded,
        (status = 200, description = "The portal.", body = Portal),
        (status = 404, description = "There is none of this slug.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(crate) async fn show(State(api): State<Api>, _: ToRead, Path(slug): Path<String>) -> Result<Json<Portal>, Problem> {
    let slug = PortalSlug::new(slug).map_err(|error| Problem::not_found(error.to_string()))?;
    api.service.portal(Some(&slug)).await.map(Json).map_err(|error| of_error(&error, ""))
}

/// Retires a portal: it publishes no more.
///
/// Its new events go to the dead letters; what it published stays, and can be withdrawn. Idempotent.
#[utoipa::path(
    post,
    path = "/v1/portals/{slug}/retire",
    operation_id = "retire_portal",
    tag = "Portals",
    security(("bearer" = ["operate"])),
    params(("slug" = PortalSlug, Path, description = "Its slug.")),
    responses(
        Guarded,
        (status = 200, description = "It publishes no more.", body = Portal),
        (status = 404, description = "There is none of this slug.", body = Problem, content_type = Problem::MEDIA_TYPE),
        (status = 409, description = "It is the home portal.", body = Problem, content_type = Problem::MEDIA_TYPE),
    )
)]
pub(crate) async fn retire(
    State(api): State<Api>,
    _: ToOperate,
    Path(slug): Path<String>,
) -> Result<Json<Portal>, Problem> {
    let slug = PortalSlug::new(slug).map_err(|error| Problem::not_found(error.to_string()))?;
    api.service.retire_portal(&slug).await.map(Json).map_err(|error| problem(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::Scope;

    fn check(bound: &[&str], named: Option<&str>, expected: Result<&str, u16>) {
        let portals = bound.iter().map(|slug| slug.parse().unwrap()).collect();
        let caller = Caller { portals, ..Caller::new("cms", Scope::Publish) };
        let asked = asked_for(&caller, named).map_err(|problem| problem.status);
        assert_eq!(asked.as_ref().map(PortalSlug::as_str).map_err(|status| *status), expected, "{bound:?} {named:?}");
    }

    #[test]
    fn a_request_is_for_the_portal_it_names_or_the_tokens_only_one_or_the_home_portal() {
        check(&[], None, Ok("home"));
        check(&[], Some("na-son"), Ok("na-son"));
        check(&["na-son"], None, Ok("na-son"));
        check(&["na-son", "phi-nhu"], Some("phi-nhu"), Ok("phi-nhu"));
        check(&["home", "na-son"], None, Ok("home"));
    }

    #[test]
    fn a_token_bound_to_portals_is_refused_for_every_other() {
        check(&["na-son"], Some("phi-nhu"), Err(403));
        check(&["na-son"], Some("home"), Err(403));
        check(&["na-son", "phi-nhu"], None, Err(403));
        check(&[], Some("Na Son"), Err(422));
    }
}
