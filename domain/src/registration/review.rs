//! What an operator decides about organisations and about those who want to join them.

use entity::{
    access_grant::Permission,
    contact,
    ids::{OrganisationId, RegistrationId},
    organisation::{self, OrganisationState},
    registration::{self, RegistrationKind, RegistrationState},
    user,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde_json::json;

use super::{letters, visible};
use crate::{
    contact as contacts,
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    organisation::{self as organisations, Standing},
    store::Tx,
    viewer::Viewer,
};

/// What is decided about an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be seen by students, and its people may do what employers do.
    Approve,
    /// It may not; its people are told why, and may mend it and ask again.
    Decline,
    /// It is taken out of students' sight again.
    Suspend,
    /// It is no longer suspended.
    Reinstate,
}

impl Decision {
    const fn leads(self, from: OrganisationState) -> Option<OrganisationState> {
        match (self, from) {
            (Self::Approve, OrganisationState::Pending | OrganisationState::Declined)
            | (Self::Reinstate, OrganisationState::Suspended) => Some(OrganisationState::Approved),
            (Self::Decline, OrganisationState::Pending) => Some(OrganisationState::Declined),
            (Self::Suspend, OrganisationState::Approved) => Some(OrganisationState::Suspended),
            _ => None,
        }
    }

    const fn outcome(self) -> &'static str {
        match self {
            Self::Approve => "APPROVED",
            Self::Decline => "DECLINED",
            Self::Suspend => "SUSPENDED",
            Self::Reinstate => "REINSTATED",
        }
    }
}

/// Decides about an organisation that is at `version`, and tells its people by mail. Who is declined or suspended reads why.
pub async fn review(
    tx: &mut Tx,
    viewer: &Viewer,
    id: OrganisationId,
    version: i32,
    decision: Decision,
    reason: Option<&str>,
) -> Result<organisation::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let reason = organisations::reason_of(reason, &mut refusals);
    refusals.add_if(
        matches!(decision, Decision::Decline | Decision::Suspend) && reason.is_none(),
        RefusalCode::Required,
        "reason",
        "Say why: the employer reads it.",
    );
    let current = organisations::lock_at(tx, viewer, id, version).await?;
    let state = decision.leads(current.state);
    refusals.add_if(
        state.is_none(),
        RefusalCode::WrongState,
        "decision",
        "The organisation doesn't stand where this can be decided.",
    );
    let waiting = came_with(tx, id).await?;
    refusals.add_if(
        current.state == OrganisationState::Pending
            && waiting
                .iter()
                .any(|(_, user)| user.email_verified_at.is_none()),
        RefusalCode::WrongState,
        "organisationId",
        "Whoever registered it has not proved their address yet.",
    );
    refusals.into_result()?;
    let Some(state) = state else {
        return Err(Error::Fault("a refusal was lost".to_owned()));
    };
    let standing = Standing {
        state,
        state_reason: reason.clone(),
    };
    let updated =
        organisations::put(tx, viewer, current, standing, None, "organisation.review").await?;
    if matches!(decision, Decision::Approve | Decision::Decline) {
        let state = match decision {
            Decision::Approve => RegistrationState::Approved,
            _ => RegistrationState::Declined,
        };
        for (row, _) in waiting {
            decide(tx, viewer, row, state, reason.clone()).await?;
        }
    }
    letters::decided_for_all(tx, id, &updated.name, decision.outcome(), reason.as_deref()).await?;
    Ok(updated)
}

/// The registrations with which an organisation came and that are not approved, and who made them.
async fn came_with(tx: &Tx, id: OrganisationId) -> Result<Vec<(registration::Model, user::Model)>> {
    let rows = registration::Entity::find()
        .filter(registration::Column::OrganisationId.eq(id))
        .filter(registration::Column::Kind.eq(RegistrationKind::New))
        .filter(registration::Column::State.ne(RegistrationState::Approved))
        .all(tx.conn())
        .await?;
    let users = user::Entity::find()
        .filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)))
        .all(tx.conn())
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let user = users.iter().find(|user| user.id == row.user_id)?.clone();
            Some((row, user))
        })
        .collect())
}

async fn decide(
    tx: &Tx,
    viewer: &Viewer,
    row: registration::Model,
    state: RegistrationState,
    reason: Option<String>,
) -> Result<registration::Model> {
    let mut row = row.into_active_model();
    row.state = Set(state);
    row.decided_by = Set(viewer.user_id());
    row.decided_at = Set(Some(tx.now()));
    row.reason = Set(reason);
    Ok(row.update(tx.conn()).await?)
}

/// Lets somebody join an organisation, or doesn't, and tells them by mail. A contact of the organisation with their address
/// is who they are; else one is made.
pub async fn answer_join(
    tx: &mut Tx,
    viewer: &Viewer,
    id: RegistrationId,
    approve: bool,
    reason: Option<&str>,
) -> Result<registration::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let reason = organisations::reason_of(reason, &mut refusals);
    refusals.add_if(
        !approve && reason.is_none(),
        RefusalCode::Required,
        "reason",
        "Say why: the employer reads it.",
    );
    let row = visible(viewer)
        .filter(registration::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("registrationId", "registration"))?;
    refusals.add_if(
        row.kind != RegistrationKind::Join,
        RefusalCode::WrongState,
        "registrationId",
        "This came with a new organisation: review the organisation.",
    );
    refusals.add_if(
        row.state != RegistrationState::Submitted,
        RefusalCode::WrongState,
        "registrationId",
        "This registration has been decided.",
    );
    refusals.into_result()?;
    let organisation = organisation::Entity::find_by_id(row.organisation_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("registrationId", "registration"))?;
    let account = user::Entity::find_by_id(row.user_id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("registrationId", "registration"))?;
    let state = if approve {
        join(tx, &organisation, &account, &row).await?;
        RegistrationState::Approved
    } else {
        RegistrationState::Declined
    };
    let outcome = if approve { "JOINED" } else { "NOT_JOINED" };
    letters::decided(tx, &account, &organisation.name, outcome, reason.as_deref()).await?;
    let told = json!({ "state": state, "reason": reason });
    let decided = decide(tx, viewer, row, state, reason).await?;
    tx.audit(viewer, "registration.decide", id, None, Some(told))
        .await?;
    tx.announce(LiveEvent::AccessChanged {
        user_id: account.id,
    });
    Ok(decided)
}

async fn join(
    tx: &mut Tx,
    organisation: &organisation::Model,
    account: &user::Model,
    row: &registration::Model,
) -> Result<()> {
    if organisation.state != OrganisationState::Approved {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "registrationId",
            "The organisation is not approved.",
        ));
    }
    let known = contact::Entity::find()
        .filter(contact::Column::OrganisationId.eq(organisation.id))
        .filter(contact::Column::Email.eq(account.email.as_str()))
        .one(tx.conn())
        .await?;
    let contact = if let Some(known) = known {
        known
    } else {
        let profile = contacts::Profile {
            job_title: row.job_title.clone(),
            email: Some(account.email.clone()),
            telephone: row.telephone.clone(),
            ..contacts::Profile::named(account.name.clone())
        };
        contacts::create(tx, &Viewer::system(), organisation.id, profile).await?
    };
    let mut account = account.clone().into_active_model();
    account.contact_id = Set(Some(contact.id));
    account.updated_at = Set(tx.now());
    account.update(tx.conn()).await?;
    Ok(())
}

/// Asks again after a refusal: the registration of the viewer waits anew, and so does the organisation that came with it.
pub async fn resubmit(tx: &mut Tx, viewer: &Viewer) -> Result<registration::Model> {
    let person = viewer.signed_in()?;
    let row = registration::Entity::find()
        .filter(registration::Column::UserId.eq(person.id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| {
            Error::refused_whole(
                RefusalCode::NotFound,
                "You have not registered by yourself.",
            )
        })?;
    if row.state != RegistrationState::Declined {
        return Err(Error::refused_whole(
            RefusalCode::WrongState,
            "Only what was declined can be submitted again.",
        ));
    }
    if row.kind == RegistrationKind::New {
        let current = organisation::Entity::find_by_id(row.organisation_id)
            .lock_exclusive()
            .one(tx.conn())
            .await?
            .filter(|organisation| organisation.state == OrganisationState::Declined)
            .ok_or_else(|| {
                Error::refused_whole(
                    RefusalCode::WrongState,
                    "The organisation doesn't wait to be submitted again.",
                )
            })?;
        let standing = Standing {
            state: OrganisationState::Pending,
            state_reason: None,
        };
        organisations::put(tx, viewer, current, standing, None, "organisation.resubmit").await?;
    }
    let id = row.id;
    let mut row = row.into_active_model();
    row.state = Set(RegistrationState::Submitted);
    row.submitted_at = Set(tx.now());
    let submitted = row.update(tx.conn()).await?;
    tx.audit(viewer, "registration.resubmit", id, None, None)
        .await?;
    Ok(submitted)
}
