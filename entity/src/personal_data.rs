//! What every table holds of people (policy 3): whose a row is, what of it is personal, what erasure does with it, and how
//! long it is kept. Each entity says it once, beside its rows, with `personal_data!`. Subject access export, erasure,
//! retention and `docs/data-protection.md` read these declarations and nothing else.
//!
//! A column that isn't declared doesn't compile, and a table that isn't in [`ALL`] fails a test.

use sea_orm::ColumnType;

/// What one table holds of people.
#[derive(Debug)]
pub struct Holding {
    /// The table.
    pub table: &'static str,
    /// What it holds of people, as a sentence; none when it holds nothing.
    pub what: Option<&'static str>,
    /// What erasure does with the rows of a person.
    pub erasure: Erasure,
    /// How long it is kept, and why.
    pub retention: Retention,
    /// Every column.
    pub columns: &'static [(Holds, &'static [&'static str])],
    /// The type of every column.
    pub types: fn() -> Vec<(&'static str, ColumnType)>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing that is somebody's: a state, a time, the id of a thing.
    Nothing,
    /// Whom the row is about. The row is theirs, and so is all that is in it.
    Subject(Key),
    /// The account of somebody who had a hand in it. They may know that they had; the row isn't theirs.
    Hand,
    /// Something about the row's subject.
    Value(Erased),
    /// Words that may name anybody. Erasure takes out the name and the addresses of whom it is about.
    Words,
    /// What the audit log tells of before and after, which can be taken out whole and not be changed.
    Sealed,
    /// What lets somebody in, or proves who they are. No export has it.
    Secret(Erased),
}

impl Holds {
    /// Whether a log may have it: ids and states, never values.
    #[must_use]
    pub const fn may_be_shown(self) -> bool {
        match self {
            Self::Nothing | Self::Hand => true,
            Self::Subject(key) => !matches!(key, Key::Address | Key::AddressHash),
            Self::Value(_) | Self::Words | Self::Sealed | Self::Secret(_) => false,
        }
    }
}

/// How a column names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The id of an account.
    Account,
    /// The id of a contact.
    Contact,
    /// The id of a session, which is an account's.
    Session,
    /// An e-mail address in lower case.
    Address,
    /// The keyed hash of an e-mail address.
    AddressHash,
    /// The id of an account or of a contact as it is written outside: `usr_…`, `con_…`.
    Written,
}

/// What a value becomes when its person is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// Nothing at all.
    Null,
    /// A word that says so.
    Word,
    /// A pseudonym that is the address of nobody.
    NoAddress,
    /// A pseudonym of its own, where the value is unique.
    Unique,
    /// `{}` or `[]`.
    EmptyObject,
    /// It stays, because by itself it leads to nobody any more.
    Stays,
}

/// What erasure does with the rows of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// They go.
    Delete,
    /// Their values go and the rows stay, for this reason.
    Keep(&'static str),
}

/// How long something is kept, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// When it goes.
    pub until: Until,
    /// Why so long.
    pub why: &'static str,
}

/// When something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It stays.
    Always,
    /// With the record of its person: when that lapses, or is erased.
    Erasure,
    /// A rule of its own clears it away, as this says.
    OwnRule(&'static str),
    /// The row goes so many days after the moment in this column.
    RowFor(u16, &'static str),
    /// The row goes so many days after the moment in the first of these columns, by what the second one says. A job of the
    /// table's own does it, in portions, because there may be many at once.
    RowByState(&'static [(u16, &'static str)], &'static str, &'static str),
    /// The personal values go so many days after the moment in this column, and the row stays.
    ValuesFor(u16, &'static str),
    /// The record of a person lapses so many days after the moment in this column, where another column has this value: what is
    /// personal in it goes, and with it what every table has about that record, and the details of it in the audit log.
    LapsesFor(u16, &'static str, (&'static str, &'static str)),
    /// What a sealed line tells goes so many days after the moment in this column, and the line stays in its chain.
    DetailsFor(u16, &'static str),
}

impl Until {
    /// With the reason.
    #[must_use]
    pub const fn because(self, why: &'static str) -> Retention {
        Retention { until: self, why }
    }
}

impl Holding {
    /// Every column with what it holds.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, Holds)> {
        self.columns
            .iter()
            .flat_map(|(holds, names)| names.iter().map(|name| (*name, *holds)))
    }
}

/// Declares what a table holds of people, next to its `Model`. Every column is named once.
macro_rules! personal_data {
    ($table:literal: nobody; $($column:ident),+ $(,)?) => {
        $crate::personal_data::personal_data! {
            @ $table, None,
            Erasure::Keep("it holds nothing of people"), Until::Always.because("it holds nothing of people");
            Nothing => $($column),+;
        }
    };
    (
        $table:literal: $what:literal;
        erasure: $erasure:expr;
        retention: $retention:expr;
        $($holds:expr => $($column:ident),+;)+
    ) => {
        $crate::personal_data::personal_data! {
            @ $table, Some($what), $erasure, $retention; $($holds => $($column),+;)+
        }
    };
    (@ $table:literal, $what:expr, $erasure:expr, $retention:expr; $($holds:expr => $($column:ident),+;)+) => {
        /// What this table holds of people.
        pub const PERSONAL_DATA: $crate::personal_data::Holding = {
            #[allow(unused_imports, clippy::enum_glob_use, reason = "a declaration reads as a sentence")]
            use $crate::personal_data::{Erased::*, Erasure::{self, *}, Holds::*, Key::*, Until::{self, *}};
            // Without `..`: whoever adds a column is told to declare it here.
            const _: fn(Model) = |row| { let Model { $($($column: _),+),+ } = row; };
            $crate::personal_data::Holding {
                table: $table,
                what: $what,
                erasure: $erasure,
                retention: $retention,
                columns: &[$(($holds, &[$(stringify!($column)),+])),+],
                types: || {
                    use sea_orm::{ColumnTrait, IdenStatic, Iterable};
                    Column::iter().map(|column| (column.as_str(), column.def().get_column_type().clone())).collect()
                },
            }
        };

        /// Without what is somebody's, so that a row that is logged by mistake tells nobody of them.
        impl std::fmt::Debug for Model {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                #[allow(unused_imports, clippy::enum_glob_use, reason = "a declaration reads as a sentence")]
                use $crate::personal_data::{Erased::*, Holds::*, Key::*};
                let mut row = f.debug_struct($table);
                $(
                    let holds: $crate::personal_data::Holds = $holds;
                    if holds.may_be_shown() {
                        $(row.field(stringify!($column), &self.$column);)+
                    }
                )+
                row.finish_non_exhaustive()
            }
        }

        impl std::fmt::Debug for ModelEx {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct($table).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use personal_data;

/// Every table.
pub const ALL: &[&Holding] = &[
    &crate::access_grant::PERSONAL_DATA,
    &crate::agreement::PERSONAL_DATA,
    &crate::agreement_acceptance::PERSONAL_DATA,
    &crate::agreement_version::PERSONAL_DATA,
    &crate::announcement::PERSONAL_DATA,
    &crate::announcement_faculty::PERSONAL_DATA,
    &crate::announcement_read::PERSONAL_DATA,
    &crate::audit_entry::PERSONAL_DATA,
    &crate::audit_head::PERSONAL_DATA,
    &crate::audit_number::PERSONAL_DATA,
    &crate::audit_seal::PERSONAL_DATA,
    &crate::booking::PERSONAL_DATA,
    &crate::calendar_feed::PERSONAL_DATA,
    &crate::campaign::PERSONAL_DATA,
    &crate::campaign_attachment::PERSONAL_DATA,
    &crate::campaign_event::PERSONAL_DATA,
    &crate::clash_acknowledgement::PERSONAL_DATA,
    &crate::contact::PERSONAL_DATA,
    &crate::course_agreement::PERSONAL_DATA,
    &crate::contact_duplicate_pair::PERSONAL_DATA,
    &crate::contact_post::PERSONAL_DATA,
    &crate::contact_without_agreement::PERSONAL_DATA,
    &crate::credential::PERSONAL_DATA,
    &crate::delivery::PERSONAL_DATA,
    &crate::duplicate_model::PERSONAL_DATA,
    &crate::duplicate_pair::PERSONAL_DATA,
    &crate::event::PERSONAL_DATA,
    &crate::event_audience::PERSONAL_DATA,
    &crate::event_feedback::PERSONAL_DATA,
    &crate::event_opportunity::PERSONAL_DATA,
    &crate::event_organisation::PERSONAL_DATA,
    &crate::event_sharing_request::PERSONAL_DATA,
    &crate::event_told::PERSONAL_DATA,
    &crate::faculty::PERSONAL_DATA,
    &crate::faculty_role::PERSONAL_DATA,
    &crate::group_booking::PERSONAL_DATA,
    &crate::identity::PERSONAL_DATA,
    &crate::held_change::PERSONAL_DATA,
    &crate::job::PERSONAL_DATA,
    &crate::kept_notice::PERSONAL_DATA,
    &crate::key_account::PERSONAL_DATA,
    &crate::key_account_contact::PERSONAL_DATA,
    &crate::liaison_request::PERSONAL_DATA,
    &crate::mail_rules::PERSONAL_DATA,
    &crate::mail_topic::PERSONAL_DATA,
    &crate::merge::PERSONAL_DATA,
    &crate::merge_change::PERSONAL_DATA,
    &crate::note::PERSONAL_DATA,
    &crate::note_colleague::PERSONAL_DATA,
    &crate::note_participant::PERSONAL_DATA,
    &crate::notice_choice::PERSONAL_DATA,
    &crate::operator_access::PERSONAL_DATA,
    &crate::one_time_token::PERSONAL_DATA,
    &crate::organisation::PERSONAL_DATA,
    &crate::organisation_field::PERSONAL_DATA,
    &crate::organisation_logo::PERSONAL_DATA,
    &crate::organisation_tag::PERSONAL_DATA,
    &crate::profile::PERSONAL_DATA,
    &crate::profile_field::PERSONAL_DATA,
    &crate::profile_photo::PERSONAL_DATA,
    &crate::programme::PERSONAL_DATA,
    &crate::record_import::PERSONAL_DATA,
    &crate::refresh_token::PERSONAL_DATA,
    &crate::registration::PERSONAL_DATA,
    &crate::school::PERSONAL_DATA,
    &crate::secret::PERSONAL_DATA,
    &crate::segment::PERSONAL_DATA,
    &crate::session::PERSONAL_DATA,
    &crate::sign_in_attempt::PERSONAL_DATA,
    &crate::signing_key::PERSONAL_DATA,
    &crate::subject_access::PERSONAL_DATA,
    &crate::suggestion::PERSONAL_DATA,
    &crate::suggestion_comment::PERSONAL_DATA,
    &crate::suggestion_vote::PERSONAL_DATA,
    &crate::suppression::PERSONAL_DATA,
    &crate::held_address::PERSONAL_DATA,
    &crate::tag::PERSONAL_DATA,
    &crate::topic_opt_out::PERSONAL_DATA,
    &crate::training_course::PERSONAL_DATA,
    &crate::training_record::PERSONAL_DATA,
    &crate::training_session::PERSONAL_DATA,
    &crate::university_sign_in::PERSONAL_DATA,
    &crate::user::PERSONAL_DATA,
    &crate::vacancy::PERSONAL_DATA,
    &crate::vacancy_programme::PERSONAL_DATA,
    &crate::vacancy_rule::PERSONAL_DATA,
    &crate::venue::PERSONAL_DATA,
];
