//! Who asks, and what they may do.
//!
//! Read from the database at every request and for every job, never from a token: a right that was taken back is gone at
//! the next request.

mod rights;

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    contact,
    ids::{ContactId, FacultyId, OrganisationId, ProgrammeId, SessionId, UserId},
    operator_access::{self, AccessState},
    programme::{self, StudyLevel},
    user::{self, UserKind, UserState},
};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QuerySelect, RelationDef};

pub(crate) use self::rights::holders;
pub use self::rights::{BY_FACULTY, Lack, Reach};
use self::rights::{HeldGrant, given, lacking};
use crate::error::{Error, Result};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    asker: Asker,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asker {
    /// Nobody is signed in.
    Anonymous,
    /// The system itself: jobs and the command line.
    System,
    /// Somebody is signed in.
    SignedIn(Box<SignedIn>),
}

/// Somebody who is signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The account.
    pub id: UserId,
    /// The session, where there is one.
    pub session_id: Option<SessionId>,
    /// The name as shown.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// What kind of person it is.
    pub kind: UserKind,
    /// Whether they are in the Super User Group.
    pub is_super_user: bool,
    /// Whether they administer the system.
    pub is_administrator: bool,
    /// The faculty of a student or of a member of staff.
    pub faculty_id: Option<FacultyId>,
    /// The programme a student is on.
    pub programme_id: Option<ProgrammeId>,
    /// The level of that programme.
    pub level: Option<StudyLevel>,
    /// The contact an employer is.
    pub contact_id: Option<ContactId>,
    /// The organisation an employer signs in for.
    pub organisation_id: Option<OrganisationId>,
    /// The version of the account's sessions that this one belongs to.
    pub session_version: i32,
    /// Since when booking is blocked.
    pub booking_blocked_at: Option<DateTime<Utc>>,
    grants: Vec<HeldGrant>,
    /// Whether everything that was granted to them is withheld, their marks among it.
    access_is_suspended: bool,
    /// What stands between a member of staff and each permission that they don't hold.
    lacking: Vec<(Permission, Lack)>,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// An account with what its viewer needs of other tables.
#[derive(FromQueryResult)]
struct Account {
    #[sea_orm(nested)]
    user: user::Model,
    level: Option<StudyLevel>,
    organisation_id: Option<OrganisationId>,
    access_state: Option<AccessState>,
}

fn programme_of_user() -> RelationDef {
    user::Entity::belongs_to(programme::Entity)
        .from(user::Column::ProgrammeId)
        .to(programme::Column::Id)
        .into()
}

fn access_of_user() -> RelationDef {
    user::Entity::belongs_to(operator_access::Entity)
        .from(user::Column::Id)
        .to(operator_access::Column::UserId)
        .into()
}

fn contact_of_user() -> RelationDef {
    user::Entity::belongs_to(contact::Entity)
        .from(user::Column::ContactId)
        .to(contact::Column::Id)
        .into()
}

impl Viewer {
    /// Nobody.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            asker: Asker::Anonymous,
        }
    }

    /// The system itself, for jobs and the command line: nothing is closed to it.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            asker: Asker::System,
        }
    }

    /// Reads the account and its rights as they are now. `None` when it may not be used.
    pub async fn load(
        db: &impl ConnectionTrait,
        user_id: UserId,
        session_id: Option<SessionId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>> {
        let account = user::Entity::find_by_id(user_id)
            .column_as(programme::Column::Level, "level")
            .column_as(contact::Column::OrganisationId, "organisation_id")
            .column_as(operator_access::Column::State, "access_state")
            .join(JoinType::LeftJoin, programme_of_user())
            .join(JoinType::LeftJoin, contact_of_user())
            .join(JoinType::LeftJoin, access_of_user())
            .into_model::<Account>()
            .one(db)
            .await?;
        let Some(Account {
            user,
            level,
            organisation_id,
            access_state,
        }) = account
        else {
            return Ok(None);
        };
        if user.state != UserState::Active {
            return Ok(None);
        }
        let access_is_suspended = access_state == Some(AccessState::Suspended);
        let given = given(db, user_id, now).await?;
        // policy 3: what counts has attended training and accepted terms behind it, now.
        let grants: Vec<HeldGrant> = given
            .iter()
            .filter(|grant| {
                !access_is_suspended && grant.is_opened && grant.is_trained && grant.is_accepted
            })
            .map(|grant| HeldGrant {
                permission: grant.permission,
                faculty_id: grant.faculty_id,
            })
            .collect();
        let lacking = if user.kind == UserKind::Staff {
            lacking(db, &grants, &given, access_is_suspended).await?
        } else {
            Vec::new()
        };
        Ok(Some(Self {
            asker: Asker::SignedIn(Box::new(SignedIn {
                id: user.id,
                session_id,
                name: user.name,
                email: user.email,
                kind: user.kind,
                // policy 3: a suspension withholds everything, the marks as well.
                is_super_user: user.is_super_user && !access_is_suspended,
                is_administrator: user.is_administrator && !access_is_suspended,
                faculty_id: user.faculty_id,
                programme_id: user.programme_id,
                level,
                contact_id: user.contact_id,
                organisation_id,
                session_version: user.session_version,
                booking_blocked_at: user.booking_blocked_at,
                grants,
                access_is_suspended,
                lacking,
            })),
        }))
    }

    /// Whether somebody is signed in.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        matches!(self.asker, Asker::SignedIn(_))
    }

    /// Whether it is the system itself.
    #[must_use]
    pub fn is_system(&self) -> bool {
        matches!(self.asker, Asker::System)
    }

    /// The person, when one is signed in.
    #[must_use]
    pub fn person(&self) -> Option<&SignedIn> {
        match &self.asker {
            Asker::SignedIn(person) => Some(person),
            Asker::Anonymous | Asker::System => None,
        }
    }

    /// The person, or the error that asks to sign in.
    pub fn signed_in(&self) -> Result<&SignedIn> {
        self.person()
            .ok_or_else(|| Error::Unauthenticated("Sign in first.".to_owned()))
    }

    /// The account, when one is signed in.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        self.person().map(|person| person.id)
    }

    /// What kind of person is signed in.
    #[must_use]
    pub fn kind(&self) -> Option<UserKind> {
        self.person().map(|person| person.kind)
    }

    /// Whether it is a member of staff (or the system).
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.is_system() || self.kind() == Some(UserKind::Staff)
    }

    /// Whether it is an operator: staff with at least one grant that counts (policy 3).
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.is_system()
            || self
                .person()
                .is_some_and(|person| person.kind == UserKind::Staff && !person.grants.is_empty())
    }

    /// Whether it is a member of the Super User Group (or the system).
    #[must_use]
    pub fn is_super_user(&self) -> bool {
        self.is_system() || self.person().is_some_and(|person| person.is_super_user)
    }

    /// Whether it is an administrator (or the system).
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.is_system() || self.person().is_some_and(|person| person.is_administrator)
    }

    /// Whether it holds `permission`: for the campus, or, where it can be given for one ([`BY_FACULTY`]), for any faculty.
    #[must_use]
    pub fn has(&self, permission: Permission) -> bool {
        self.is_system()
            || self
                .person()
                .is_some_and(|person| person.grants.iter().any(|g| g.permission == permission))
    }

    /// Whether it holds `permission` for what belongs to `faculty`; `None` is what belongs to the whole campus.
    #[must_use]
    pub fn has_for(&self, permission: Permission, faculty: Option<FacultyId>) -> bool {
        self.is_system()
            || self.person().is_some_and(|person| {
                person.grants.iter().any(|grant| {
                    grant.permission == permission
                        && (grant.faculty_id.is_none() || grant.faculty_id == faculty)
                })
            })
    }

    /// How far its `permission` reaches: what a row filter asks.
    #[must_use]
    pub fn reach(&self, permission: Permission) -> Reach {
        if self.is_system() {
            return Reach::Campus;
        }
        let grants = self.person().map_or(&[][..], |person| &person.grants);
        let mut faculties = Vec::new();
        for grant in grants.iter().filter(|g| g.permission == permission) {
            match grant.faculty_id {
                Some(faculty) => faculties.push(faculty),
                None => return Reach::Campus,
            }
        }
        if faculties.is_empty() {
            Reach::Nothing
        } else {
            Reach::Faculties(faculties)
        }
    }

    /// `Ok` when it holds `permission`; otherwise the error names the training that leads there.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.has(permission) {
            return Ok(());
        }
        self.signed_in()?;
        Err(Error::Forbidden(self.why_not(permission)))
    }

    /// `Ok` when it holds `permission` for what belongs to `faculty`.
    pub fn require_for(&self, permission: Permission, faculty: Option<FacultyId>) -> Result<()> {
        self.require(permission)?;
        if self.has_for(permission, faculty) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "Your {} permission is for another faculty.",
            permission_name(permission)
        )))
    }

    /// Why `permission` is not held, and what leads there (policy 3).
    #[must_use]
    pub fn why_not(&self, permission: Permission) -> String {
        let name = permission_name(permission);
        let Some(person) = self.person() else {
            return format!("This needs the permission {name}: sign in first.");
        };
        if person.kind != UserKind::Staff {
            return format!("This needs the permission {name}, which only staff can hold.");
        }
        match person.lack(permission) {
            Some(Lack::Suspended) => format!(
                "This needs the permission {name}. Your operator access is suspended: speak with the Careers Centre."
            ),
            Some(Lack::Training { course }) => format!(
                "This needs the permission {name}. It was given to you and counts once you have attended \
                 the training that leads there: {course}."
            ),
            Some(Lack::Course { course }) => format!(
                "This needs the permission {name}. It was given to you on training that no longer leads there: \
                 {course}. Ask the Careers Centre for it."
            ),
            Some(Lack::Agreements { course }) => format!(
                "This needs the permission {name}. It was given to you and counts once you have accepted \
                 the agreements of the training that leads there: {course}."
            ),
            Some(Lack::Grant { courses }) if !courses.is_empty() => format!(
                "This needs the permission {name}. The training that leads there: {}.",
                courses.join("; ")
            ),
            Some(Lack::Grant { .. }) | None => {
                format!("This needs the permission {name}. Ask the Careers Centre for it.")
            }
        }
    }
}

impl SignedIn {
    /// What stands between them and `permission`; none when they hold it, and for those who are no staff.
    #[must_use]
    pub fn lack(&self, permission: Permission) -> Option<&Lack> {
        self.lacking
            .iter()
            .find(|(lacked, _)| *lacked == permission)
            .map(|(_, lack)| lack)
    }

    /// Whether everything that was granted to them is withheld (policy 3).
    #[must_use]
    pub fn access_is_suspended(&self) -> bool {
        self.access_is_suspended
    }
}

/// The name of `permission` as clients know it: `SEND_BULK_EMAIL`.
#[must_use]
pub fn permission_name(permission: Permission) -> String {
    use sea_orm::ActiveEnum;
    permission.to_value()
}
