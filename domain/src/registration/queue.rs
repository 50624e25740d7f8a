//! The queue of registrations, with what an operator should know of each.

use std::collections::{BTreeSet, HashMap};

use entity::{
    duplicate_pair::{self, DuplicatePairState},
    ids::{OrganisationId, RegistrationId},
    organisation,
    registration::{self, RegistrationKind, RegistrationState},
    user,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Select,
};

use crate::{
    error::Result,
    organisation::{is_free_mail, nothing, own_domains},
    page::{Page, Slice},
    viewer::Viewer,
};

/// Something that speaks for a closer look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// The address is one that anybody can have.
    FreeMailDomain,
    /// The domain of the address is not that of the web site or of the organisation's mail.
    DomainUnlikeWebsite,
    /// The organisation looks like one that is known.
    LikelyDuplicate,
}

/// The registrations that exist for `viewer`: staff have those whose address is proved, an employer their own.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<registration::Entity> {
    let all = registration::Entity::find();
    if viewer.is_staff() {
        let proved = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::EmailVerifiedAt.is_not_null())
            .into_query();
        return all.filter(registration::Column::UserId.in_subquery(proved));
    }
    match viewer.user_id() {
        Some(id) => all.filter(registration::Column::UserId.eq(id)),
        None => all.filter(nothing()),
    }
}

/// What waits for an operator, the oldest first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<RegistrationId>,
) -> Result<Slice<registration::Model>> {
    let key = [registration::Column::Id.into_expr()];
    page.read(db, waiting(viewer), key, Order::Asc).await
}

/// How many wait.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<u64> {
    Ok(waiting(viewer).count(db).await?)
}

fn waiting(viewer: &Viewer) -> Select<registration::Entity> {
    visible(viewer).filter(registration::Column::State.eq(RegistrationState::Submitted))
}

/// How the viewer registered; none when somebody else made their account.
pub async fn of_viewer(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
) -> Result<Option<registration::Model>> {
    let Some(id) = viewer.user_id() else {
        return Ok(None);
    };
    Ok(registration::Entity::find()
        .filter(registration::Column::UserId.eq(id))
        .one(db)
        .await?)
}

/// What speaks for a closer look at each of these registrations, for staff. The number of statements doesn't grow with
/// theirs.
pub async fn signals(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[RegistrationId],
) -> Result<HashMap<RegistrationId, Vec<Signal>>> {
    if !viewer.is_staff() {
        return Ok(HashMap::new());
    }
    let rows = visible(viewer)
        .filter(registration::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)))
        .all(db)
        .await?;
    let organisations = organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(rows.iter().map(|row| row.organisation_id)))
        .all(db)
        .await?;
    let alike = likely_duplicates(db, rows.iter().map(|row| row.organisation_id)).await?;
    let mut all = HashMap::new();
    for row in rows {
        let (Some(user), Some(organisation)) = (
            users.iter().find(|user| user.id == row.user_id),
            organisations
                .iter()
                .find(|known| known.id == row.organisation_id),
        ) else {
            continue;
        };
        let mut signals = signals_of(&user.email, &own_domains(organisation));
        if row.kind == RegistrationKind::New && alike.contains(&row.organisation_id) {
            signals.push(Signal::LikelyDuplicate);
        }
        all.insert(row.id, signals);
    }
    Ok(all)
}

fn signals_of(email: &str, domains: &[String]) -> Vec<Signal> {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut signals = Vec::new();
    if is_free_mail(domain) {
        signals.push(Signal::FreeMailDomain);
    }
    let belongs = domains
        .iter()
        .any(|known| domain == known || domain.ends_with(&format!(".{known}")));
    if !domains.is_empty() && !belongs {
        signals.push(Signal::DomainUnlikeWebsite);
    }
    signals
}

async fn likely_duplicates(
    db: &impl ConnectionTrait,
    ids: impl Iterator<Item = OrganisationId> + Clone,
) -> Result<BTreeSet<OrganisationId>> {
    let pairs: Vec<(OrganisationId, OrganisationId)> = duplicate_pair::Entity::find()
        .select_only()
        .columns([
            duplicate_pair::Column::OneId,
            duplicate_pair::Column::OtherId,
        ])
        .filter(duplicate_pair::Column::State.eq(DuplicatePairState::Open))
        .filter(
            Condition::any()
                .add(duplicate_pair::Column::OneId.is_in(ids.clone()))
                .add(duplicate_pair::Column::OtherId.is_in(ids)),
        )
        .into_tuple()
        .all(db)
        .await?;
    Ok(pairs
        .into_iter()
        .flat_map(|(one, other)| [one, other])
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_elsewhere_is_told() {
        let at = |email: &str, domains: &[&str]| {
            let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
            signals_of(email, &domains)
        };
        assert_eq!(at("ann@acme.example", &["acme.example"]), []);
        assert_eq!(at("ann@leeds.acme.example", &["acme.example"]), []);
        assert_eq!(at("ann@acme.example", &[]), []);
        assert_eq!(
            at("ann@notacme.example", &["acme.example"]),
            [Signal::DomainUnlikeWebsite]
        );
        assert_eq!(
            at("ann@gmail.com", &["acme.example"]),
            [Signal::FreeMailDomain, Signal::DomainUnlikeWebsite]
        );
    }
}
