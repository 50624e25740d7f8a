//! Letters that are not sent: to people who must not be sent any mail, and to addresses at which mail is held back.
//!
//! Opting out of bulk mail doesn't concern letters. *Do not e-mail* and *on hold* do, whatever the letter is about: this is looked
//! at when a letter is claimed, which all of them are, so that no kind of letter can be forgotten. The few that go out all the
//! same are named in [`ALWAYS_SENT`], with the reason.

use entity::{contact, delivery, user};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::{error::Result, store::Tx};

/// The letters that reach everybody, by their templates, and why: somebody has just asked for them themselves and waits, or the
/// law or the safety of their account wants them told.
pub const ALWAYS_SENT: &[(&str, &str)] = &[
    (
        "verify_email",
        "whoever registers proves their address by it",
    ),
    (
        "registered_already",
        "it answers whoever registers, in the place of the proof",
    ),
    (
        "reset_password",
        "whoever has forgotten their password signs in by it",
    ),
    (
        "change_email",
        "whoever changes their address proves the new one by it",
    ),
    (
        "email_change_asked",
        "it warns the old address of somebody who takes over an account",
    ),
    (
        "email_changed",
        "it warns the old address of somebody who took over an account",
    ),
    (
        "password_changed",
        "it warns of somebody who took over an account",
    ),
    (
        "personal_data_ready",
        "the law gives people a copy of what is held about them",
    ),
];

/// Why a letter is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// Its recipient must not be sent any mail.
    DoNotEmail,
    /// Mail to its address is held back after bounces.
    OnHold,
}

impl Withheld {
    /// As the ledger keeps it.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::DoNotEmail => "DO_NOT_EMAIL: the recipient must not be sent any mail",
            Self::OnHold => "ON_HOLD: mail to the recipient is held back after bounces",
        }
    }
}

/// Why a letter must not be sent now; `None` when it may.
///
/// Who must not be sent any mail is known by the address of the letter and by the contact of the account that it goes to. A hold
/// is one of an address.
pub(super) async fn withheld(tx: &Tx, letter: &delivery::Model) -> Result<Option<Withheld>> {
    if ALWAYS_SENT
        .iter()
        .any(|(template, _)| *template == letter.template)
    {
        return Ok(None);
    }
    let at_address = contact::Column::Email.eq(letter.address.as_str());
    let mut theirs = Condition::any().add(at_address.clone());
    if let Some(user_id) = letter.user_id {
        let of_account = user::Entity::find()
            .select_only()
            .column(user::Column::ContactId)
            .filter(user::Column::Id.eq(user_id))
            .filter(user::Column::ContactId.is_not_null())
            .into_query();
        theirs = theirs.add(contact::Column::Id.in_subquery(of_account));
    }
    let no_mail = theirs.add_option(
        letter
            .contact_id
            .map(|contact_id| contact::Column::Id.eq(contact_id)),
    );
    for (concerned, reason) in [
        (
            Condition::all()
                .add(no_mail)
                .add(contact::Column::DoNotEmail.eq(true)),
            Withheld::DoNotEmail,
        ),
        (
            Condition::all()
                .add(at_address)
                .add(contact::Column::OnHoldAt.is_not_null()),
            Withheld::OnHold,
        ),
    ] {
        let found = contact::Entity::find()
            .select_only()
            .column(contact::Column::Id)
            .filter(concerned)
            .limit(1)
            .into_tuple::<entity::ids::ContactId>()
            .one(tx.conn())
            .await?;
        if found.is_some() {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}
