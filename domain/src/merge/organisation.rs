//! Merging two organisations.

mod values;

use std::collections::HashSet;

use entity::{
    access_grant::Permission,
    held_change::{self, HeldChangeState},
    ids::OrganisationId,
    key_account::{self, KeyAccountScope},
    merge::MergeKind,
    organisation::{self, RecordSource},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, sea_query::Expr,
};
use serde_json::json;

pub(super) use self::values::differing;
use self::values::settle;
use super::{
    Merged, Plan,
    journal::Journal,
    pairs,
    references::references_to,
    rows::{Row, Table, key},
    tell_log,
};
use crate::{
    change,
    error::{Error, RefusalCode, Refusals, Result},
    key_account as key_accounts,
    organisation::{name_key, visible},
    store::Tx,
    viewer::Viewer,
};

const TABLE: &str = "organisation";

/// A field of which the merged organisation's value can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationField {
    /// The name.
    Name,
    /// The web site.
    Website,
    /// The sector.
    Sector,
    /// The sub-sector.
    SubSector,
    /// The size.
    Size,
    /// The type.
    Kind,
    /// The company number.
    CompanyNumber,
    /// The address.
    Address,
    /// When it was founded.
    Founded,
}

impl OrganisationField {
    const ALL: [Self; 9] = [
        Self::Name,
        Self::Website,
        Self::Sector,
        Self::SubSector,
        Self::Size,
        Self::Kind,
        Self::CompanyNumber,
        Self::Address,
        Self::Founded,
    ];

    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Website => "website",
            Self::Sector => "sector",
            Self::SubSector => "sub_sector",
            Self::Size => "size",
            Self::Kind => "kind",
            Self::CompanyNumber => "company_number",
            Self::Address => "address",
            Self::Founded => "founded",
        }
    }
}

/// Two organisations that are to become one, and the version of each that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisations {
    /// The one that is left.
    pub survivor_id: OrganisationId,
    /// The one that goes into it.
    pub merged_id: OrganisationId,
    /// The version of the one that is left that was looked at.
    pub survivor_version: Option<i32>,
    /// The version of the other that was looked at.
    pub merged_version: Option<i32>,
    /// Fields of which the other's value is kept, where it has one. Else it fills only what is empty.
    pub take: Vec<OrganisationField>,
}

/// Merges two organisations. Leaving the transaction without a commit makes a dry run of it.
///
/// Everything that points at the merged one points at the survivor afterwards; its row is gone. Who took consent back or
/// never gave it is not shown to students because of a merge: consent counts when both records have it (policy 3). Claims of
/// key accounts move with their contacts, and two that exclude each other are settled first (policy 2.3).
pub async fn organisations(tx: &mut Tx, viewer: &Viewer, of: &Organisations) -> Result<Merged> {
    viewer.require(Permission::DeleteOrganisation)?;
    if of.survivor_id == of.merged_id {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "mergedId",
            "A record can't be merged with itself.",
        ));
    }
    let (survivor, merged) = lock_both(tx, viewer, of).await?;
    pairs::hold(tx, MergeKind::Organisation).await?;
    for (row, given, field) in [
        (&survivor, of.survivor_version, "survivorVersion"),
        (&merged, of.merged_version, "mergedVersion"),
    ] {
        if let Some(given) = given.filter(|given| *given != row.version) {
            let stale =
                change::stale(tx.conn(), "organisation.update", row.id, given, row.version).await?;
            return Err(named(stale, field));
        }
    }
    refuse_clashing_claims(tx, &survivor, &merged).await?;
    refuse_waiting_changes(tx, &merged).await?;

    let plan = Plan {
        kind: MergeKind::Organisation,
        survivor_id: survivor.id.uuid(),
        merged_id: merged.id.uuid(),
        merged_name: Some(merged.name.clone()),
        source_key: merged
            .source_key
            .clone()
            .filter(|_| merged.source == RecordSource::Import),
    };
    let merge = plan.record(tx, viewer.user_id()).await?;
    let notes = notes(tx, &survivor, &merged).await?;
    let parent_id = parent_of(tx, &survivor, &merged).await?;

    let table = Table::named(TABLE)?;
    let old = one(table.find(tx, &key("id", merge.survivor_id)).await?)?;
    let other = one(table.find(tx, &key("id", merge.merged_id)).await?)?;
    let mut settled = settle(&old, &other, &of.take)?;
    settled.push(("parent_id", json!(parent_id.map(OrganisationId::uuid))));
    let values = differing(&old, &other, &settled);

    let mut journal = Journal::new(tx, &merge, None);
    journal.set_values(TABLE, &old, &settled).await?;
    for reference in references_to(MergeKind::Organisation) {
        journal.give(reference).await?;
    }
    pairs::give(&mut journal, pairs::ORGANISATIONS).await?;
    journal.take_out(TABLE, "id", merge.merged_id).await?;
    let rows = journal.close().await?;
    raise_version(tx, survivor.id).await?;
    tell_log(tx, viewer, &merge, false).await?;
    let claims = key_accounts::live_claims(tx, survivor.id).await?;
    key_accounts::letters::merged(tx, viewer, &merge, &claims).await?;
    Ok(Merged {
        merge,
        rows,
        values,
        notes,
    })
}

fn named(error: Error, field: &'static str) -> Error {
    match error {
        Error::Refused(refusals) => Error::Refused(
            refusals
                .into_iter()
                .map(|refusal| crate::error::Refusal {
                    field: Some(field),
                    ..refusal
                })
                .collect(),
        ),
        other => other,
    }
}

pub(super) fn one(rows: Vec<Row>) -> Result<Row> {
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::Fault("a locked row is gone".to_owned()))
}

/// Both, locked in the order of their ids, so that two merges of the same records wait for each other and whoever comes
/// second finds one of them gone.
async fn lock_both(
    tx: &Tx,
    viewer: &Viewer,
    of: &Organisations,
) -> Result<(organisation::Model, organisation::Model)> {
    let mut found = visible(viewer)
        .filter(organisation::Column::Id.is_in([of.survivor_id, of.merged_id]))
        .order_by_asc(organisation::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let mut take = |id| {
        let at = found.iter().position(|row| row.id == id)?;
        Some(found.swap_remove(at))
    };
    match (take(of.survivor_id), take(of.merged_id)) {
        (Some(survivor), Some(merged)) => Ok((survivor, merged)),
        (survivor, merged) => {
            let mut refusals = Refusals::default();
            for (missing, field) in [
                (survivor.is_none(), "survivorId"),
                (merged.is_none(), "mergedId"),
            ] {
                refusals.add_if(
                    missing,
                    RefusalCode::NotFound,
                    field,
                    "There is no such organisation, or it is not open to you. It may have been merged meanwhile.",
                );
            }
            refusals.into_result()?;
            Err(Error::Fault(
                "a record is neither there nor missing".to_owned(),
            ))
        }
    }
}

/// policy 2.3: a merge gives nobody's key account to another, and makes no two owners of one organisation.
async fn refuse_clashing_claims(
    tx: &mut Tx,
    survivor: &organisation::Model,
    merged: &organisation::Model,
) -> Result<()> {
    let (of_survivor, of_merged) = (
        key_accounts::live_claims(tx, survivor.id).await?,
        key_accounts::live_claims(tx, merged.id).await?,
    );
    let mut refusals = Refusals::default();
    let whole = |claims: &[key_account::Model]| {
        claims
            .iter()
            .any(|claim| claim.scope == KeyAccountScope::Whole)
    };
    let both = !of_survivor.is_empty() && !of_merged.is_empty();
    refusals.add_if(
        both && (whole(&of_survivor) || whole(&of_merged)),
        RefusalCode::WrongState,
        "mergedId",
        "Both are somebody's key account, and one organisation can't have two owners: release one of them, or hand it over, first.",
    );
    let operators: HashSet<_> = of_survivor.iter().map(|claim| claim.operator_id).collect();
    refusals.add_if(
        of_merged
            .iter()
            .any(|claim| operators.contains(&claim.operator_id)),
        RefusalCode::WrongState,
        "mergedId",
        "One operator holds contacts in both: let them release one key account and add its contacts to the other first.",
    );
    let fits = |claim: &key_account::Model| {
        (claim.scope == KeyAccountScope::Contacts) == survivor.multiple_touch_points
    };
    refusals.add_if(
        !of_merged.iter().all(fits),
        RefusalCode::WrongState,
        "mergedId",
        "Only one of them is marked as having many touch points, and the other is somebody's key account: mark both alike first.",
    );
    refusals.into_result()
}

/// What the employer of the other asked for is decided while it is still that organisation's.
async fn refuse_waiting_changes(tx: &Tx, merged: &organisation::Model) -> Result<()> {
    let waiting = held_change::Entity::find()
        .filter(held_change::Column::OrganisationId.eq(merged.id))
        .filter(held_change::Column::State.eq(HeldChangeState::Waiting))
        .count(tx.conn())
        .await?;
    if waiting == 0 {
        return Ok(());
    }
    Err(Error::refused(
        RefusalCode::WrongState,
        "mergedId",
        "Its employer has asked for changes: decide about them first.",
    ))
}

/// What somebody should know before they merge the two.
async fn notes(
    tx: &Tx,
    survivor: &organisation::Model,
    merged: &organisation::Model,
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let sql = "SELECT COUNT(*) FROM contact AS one JOIN contact AS other ON other.email = one.email \
         WHERE one.organisation_id = $1 AND other.organisation_id = $2";
    let statement = Statement::from_sql_and_values(
        tx.backend(),
        sql,
        [survivor.id.uuid().into(), merged.id.uuid().into()],
    );
    let shared: i64 = match tx.conn().query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    if shared > 0 {
        notes.push(format!(
            "{shared} e-mail addresses belong to a contact of each: merge these contacts afterwards."
        ));
    }
    if survivor.state != merged.state {
        notes.push(
            "They stand differently in approval: the one that is left stays as it is.".to_owned(),
        );
    }
    if survivor.shows_contacts_to_students != merged.shows_contacts_to_students {
        notes.push(
            "Only one of them agreed that its contacts are shown to students: they will not be shown.".to_owned(),
        );
    }
    Ok(notes)
}

/// The head office of the one that is left. A division belongs to a head office that is no division itself.
async fn parent_of(
    tx: &Tx,
    survivor: &organisation::Model,
    merged: &organisation::Model,
) -> Result<Option<OrganisationId>> {
    let own = survivor.parent_id.filter(|id| *id != merged.id);
    let divisions = async |of: OrganisationId, but: OrganisationId| {
        organisation::Entity::find()
            .filter(organisation::Column::ParentId.eq(of))
            .filter(organisation::Column::Id.ne(but))
            .count(tx.conn())
            .await
    };
    let of_merged = divisions(merged.id, survivor.id).await?;
    if own.is_some() && of_merged > 0 {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "mergedId",
            "The one that is left is a division, and the other has divisions: give them another head office first.",
        ));
    }
    let has_divisions = of_merged + divisions(survivor.id, merged.id).await? > 0;
    let others = merged
        .parent_id
        .filter(|id| *id != survivor.id && !has_divisions);
    Ok(own.or(others))
}

/// Whoever holds an older version is told that it changed.
async fn raise_version(tx: &Tx, id: OrganisationId) -> Result<()> {
    use sea_orm::sea_query::ExprTrait;

    organisation::Entity::update_many()
        .col_expr(
            organisation::Column::Version,
            ExprTrait::add(Expr::col(organisation::Column::Version), 1),
        )
        .col_expr(organisation::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(organisation::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Keeps what follows from the name in step with it.
pub(super) async fn name_again(tx: &Tx, id: OrganisationId) -> Result<()> {
    if let Some(row) = organisation::Entity::find_by_id(id).one(tx.conn()).await? {
        organisation::Entity::update_many()
            .col_expr(
                organisation::Column::NameKey,
                Expr::value(name_key(&row.name)),
            )
            .filter(organisation::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
    }
    raise_version(tx, id).await
}
