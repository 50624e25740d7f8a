//! Who somebody is to the policy, as a set.

use std::fmt;

use entity::{access_grant::Permission, user::UserKind};

use crate::viewer::Viewer;

/// What somebody is, apart from the permissions that were granted to them (policy 2.1 and 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Anybody, signed in or not.
    Everyone,
    /// Anybody who is signed in.
    SignedIn,
    /// A student.
    Student,
    /// A graduate.
    Graduate,
    /// A contact who signs in for an organisation.
    Employer,
    /// A member of staff, with or without grants.
    Staff,
    /// A member of staff with at least one active grant.
    Operator,
    /// A member of the Super User Group.
    SuperUser,
    /// The Careers Centre's administrator.
    Administrator,
}

/// Every role, in the order in which documents list them.
pub const ROLES: [Role; 9] = [
    Role::Everyone,
    Role::SignedIn,
    Role::Student,
    Role::Graduate,
    Role::Employer,
    Role::Staff,
    Role::Operator,
    Role::SuperUser,
    Role::Administrator,
];

/// Every permission, in the order in which documents list them.
pub const PERMISSIONS: [Permission; 11] = [
    Permission::RecordEngagement,
    Permission::EditOrganisation,
    Permission::DeleteOrganisation,
    Permission::ClaimKeyAccount,
    Permission::ManageEvent,
    Permission::ModerateVacancy,
    Permission::SendBulkEmail,
    Permission::ReadReport,
    Permission::ExportContacts,
    Permission::ManagePlacement,
    Permission::GrantAccess,
];

/// How many bits of a [`Who`] stand for roles; the permissions follow them.
const ROLE_BITS: u32 = 16;

impl Role {
    /// The name of the role in the schema.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Everyone => "EVERYONE",
            Self::SignedIn => "SIGNED_IN",
            Self::Student => "STUDENT",
            Self::Graduate => "GRADUATE",
            Self::Employer => "EMPLOYER",
            Self::Staff => "STAFF",
            Self::Operator => "OPERATOR",
            Self::SuperUser => "SUPER_USER",
            Self::Administrator => "ADMINISTRATOR",
        }
    }

    /// The role in a sentence.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::SignedIn => "everyone who is signed in",
            Self::Student => "students",
            Self::Graduate => "graduates",
            Self::Employer => "employers",
            Self::Staff => "staff",
            Self::Operator => "operators",
            Self::SuperUser => "super users",
            Self::Administrator => "administrators",
        }
    }
}

/// The name of a permission, as the schema, the database and the policy write it.
#[must_use]
pub const fn permission_token(permission: Permission) -> &'static str {
    match permission {
        Permission::RecordEngagement => "RECORD_ENGAGEMENT",
        Permission::EditOrganisation => "EDIT_ORGANISATION",
        Permission::DeleteOrganisation => "DELETE_ORGANISATION",
        Permission::ClaimKeyAccount => "CLAIM_KEY_ACCOUNT",
        Permission::ManageEvent => "MANAGE_EVENT",
        Permission::ModerateVacancy => "MODERATE_VACANCY",
        Permission::SendBulkEmail => "SEND_BULK_EMAIL",
        Permission::ReadReport => "READ_REPORT",
        Permission::ExportContacts => "EXPORT_CONTACTS",
        Permission::ManagePlacement => "MANAGE_PLACEMENT",
        Permission::GrantAccess => "GRANT_ACCESS",
    }
}

/// A set of roles and permissions; somebody belongs to it who has one of them.
///
/// It is one machine word, so that a row of the policy costs a bit test.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Who(u32);

impl Who {
    /// Nobody at all.
    pub const NOBODY: Self = Self(0);

    /// Those who have the role.
    #[must_use]
    pub const fn role(role: Role) -> Self {
        Self(1 << role as u32)
    }

    /// Those to whom the permission was granted.
    #[must_use]
    pub const fn holder(permission: Permission) -> Self {
        Self(1 << (ROLE_BITS + permission as u32))
    }

    /// Those who are in one of the sets.
    #[must_use]
    pub const fn any(sets: &[Self]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < sets.len() {
            bits |= sets[at].0;
            at += 1;
        }
        Self(bits)
    }

    /// Whether nobody is in the set.
    #[must_use]
    pub const fn is_nobody(self) -> bool {
        self.0 == 0
    }

    /// Whether the sets have a role or a permission in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The roles in the set.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        ROLES
            .into_iter()
            .filter(move |role| self.meets(Self::role(*role)))
    }

    /// The permissions in the set.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        PERMISSIONS
            .into_iter()
            .filter(move |permission| self.meets(Self::holder(*permission)))
    }

    /// The names of all that is in the set, as the schema writes them.
    pub fn tokens(self) -> impl Iterator<Item = &'static str> {
        self.roles()
            .map(Role::token)
            .chain(self.permissions().map(permission_token))
    }
}

impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tokens()).finish()
    }
}

impl fmt::Display for Who {
    /// The set in a sentence: `staff, administrators and holders of READ_REPORT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.roles().map(|role| role.plural().to_owned()).collect();
        let permissions: Vec<_> = self.permissions().map(permission_token).collect();
        if !permissions.is_empty() {
            parts.push(format!("holders of {}", permissions.join(" or ")));
        }
        match parts.split_last() {
            None => f.write_str("nobody"),
            Some((only, [])) => f.write_str(only),
            Some((last, rest)) => write!(f, "{} and {last}", rest.join(", ")),
        }
    }
}

/// The standings that people have, each by a name, for tests that go through all of them: nobody signed in, each kind of
/// person, and an operator for each permission.
#[must_use]
pub fn standings() -> Vec<(&'static str, Who)> {
    let everyone = Who::role(Role::Everyone);
    let signed_in = Who::any(&[everyone, Who::role(Role::SignedIn)]);
    let staff = Who::any(&[signed_in, Who::role(Role::Staff)]);
    let mut standings = vec![("anybody", everyone), ("staff", staff)];
    standings.extend(
        [Role::Student, Role::Graduate, Role::Employer]
            .map(|role| (role.plural(), Who::any(&[signed_in, Who::role(role)]))),
    );
    standings.extend(
        [Role::SuperUser, Role::Administrator]
            .map(|role| (role.plural(), Who::any(&[staff, Who::role(role)]))),
    );
    standings.extend(PERMISSIONS.map(|permission| {
        let grants = [Who::role(Role::Operator), Who::holder(permission)];
        (
            permission_token(permission),
            Who::any(&[staff, Who::any(&grants)]),
        )
    }));
    standings
}

/// Somebody who asks for something.
pub trait Asker {
    /// Whether they have the role.
    fn is(&self, role: Role) -> bool;

    /// Whether the permission was granted to them, for the campus or for any faculty. What a faculty's grant reaches is
    /// decided by the rules of `domain`, row by row.
    fn holds(&self, permission: Permission) -> bool;

    /// Why they don't hold the permission, and the training that leads there (policy 3).
    fn why_not(&self, permission: Permission) -> String;

    /// All that they are, as a set. Made once for a request.
    fn standing(&self) -> Who {
        let roles = ROLES
            .into_iter()
            .filter(|role| *role == Role::Everyone || self.is(*role))
            .map(Who::role);
        let permissions = PERMISSIONS
            .into_iter()
            .filter(|permission| self.holds(*permission))
            .map(Who::holder);
        roles
            .chain(permissions)
            .fold(Who::NOBODY, |all, one| Who::any(&[all, one]))
    }
}

impl Asker for Viewer {
    fn is(&self, role: Role) -> bool {
        match role {
            Role::Everyone => true,
            Role::SignedIn => self.is_signed_in(),
            Role::Student => self.kind() == Some(UserKind::Student),
            Role::Graduate => self.kind() == Some(UserKind::Graduate),
            Role::Employer => self.kind() == Some(UserKind::Employer),
            Role::Staff => self.is_staff(),
            Role::Operator => self.is_operator(),
            Role::SuperUser => self.is_super_user(),
            Role::Administrator => self.is_administrator(),
        }
    }

    fn holds(&self, permission: Permission) -> bool {
        self.has(permission)
    }

    fn why_not(&self, permission: Permission) -> String {
        Self::why_not(self, permission)
    }
}

/// The names that the tables use.
pub mod names {
    use entity::access_grant::Permission;

    use super::{Role, Who};

    /// Anybody, signed in or not.
    pub const EVERYONE: Who = Who::role(Role::Everyone);
    /// Anybody who is signed in.
    pub const SIGNED_IN: Who = Who::role(Role::SignedIn);
    /// Students.
    pub const STUDENT: Who = Who::role(Role::Student);
    /// Graduates.
    pub const GRADUATE: Who = Who::role(Role::Graduate);
    /// Employers.
    pub const EMPLOYER: Who = Who::role(Role::Employer);
    /// Staff.
    pub const STAFF: Who = Who::role(Role::Staff);
    /// Staff with an active grant.
    pub const OPERATOR: Who = Who::role(Role::Operator);
    /// The Super User Group.
    pub const SUPER_USER: Who = Who::role(Role::SuperUser);
    /// Administrators.
    pub const ADMINISTRATOR: Who = Who::role(Role::Administrator);
    /// Holders of this permission.
    pub const RECORD_ENGAGEMENT: Who = Who::holder(Permission::RecordEngagement);
    /// Holders of this permission.
    pub const EDIT_ORGANISATION: Who = Who::holder(Permission::EditOrganisation);
    /// Holders of this permission.
    pub const DELETE_ORGANISATION: Who = Who::holder(Permission::DeleteOrganisation);
    /// Holders of this permission.
    pub const CLAIM_KEY_ACCOUNT: Who = Who::holder(Permission::ClaimKeyAccount);
    /// Holders of this permission.
    pub const MANAGE_EVENT: Who = Who::holder(Permission::ManageEvent);
    /// Holders of this permission.
    pub const MODERATE_VACANCY: Who = Who::holder(Permission::ModerateVacancy);
    /// Holders of this permission.
    pub const SEND_BULK_EMAIL: Who = Who::holder(Permission::SendBulkEmail);
    /// Holders of this permission.
    pub const READ_REPORT: Who = Who::holder(Permission::ReadReport);
    /// Holders of this permission.
    pub const EXPORT_CONTACTS: Who = Who::holder(Permission::ExportContacts);
    /// Holders of this permission.
    pub const MANAGE_PLACEMENT: Who = Who::holder(Permission::ManagePlacement);
    /// Holders of this permission.
    pub const GRANT_ACCESS: Who = Who::holder(Permission::GrantAccess);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Asker for Nobody {
        fn is(&self, _: Role) -> bool {
            false
        }

        fn holds(&self, _: Permission) -> bool {
            false
        }

        fn why_not(&self, _: Permission) -> String {
            String::new()
        }
    }

    #[test]
    fn everybody_belongs_to_everyone() {
        assert_eq!(Nobody.standing(), names::EVERYONE);
    }

    #[test]
    fn every_role_and_permission_has_a_bit_of_its_own() {
        let all: Vec<Who> = ROLES
            .into_iter()
            .map(Who::role)
            .chain(PERMISSIONS.into_iter().map(Who::holder))
            .collect();
        for (at, one) in all.iter().enumerate() {
            assert!(!one.is_nobody());
            assert!(
                all[at + 1..].iter().all(|other| !one.meets(*other)),
                "{one}"
            );
        }
    }

    #[test]
    fn a_permission_is_written_as_the_database_writes_it() {
        use sea_orm::ActiveEnum;

        let written: Vec<String> = PERMISSIONS.iter().map(ActiveEnum::to_value).collect();
        let tokens: Vec<&str> = PERMISSIONS.iter().copied().map(permission_token).collect();
        assert_eq!(written, tokens);
        assert_eq!(Permission::values().len(), PERMISSIONS.len());
    }

    #[test]
    fn a_set_reads_as_a_sentence() {
        use names::{ADMINISTRATOR, READ_REPORT, STAFF};
        let set = Who::any(&[READ_REPORT, STAFF, ADMINISTRATOR]);
        assert_eq!(
            set.to_string(),
            "staff, administrators and holders of READ_REPORT"
        );
        assert_eq!(STAFF.to_string(), "staff");
        assert_eq!(Who::NOBODY.to_string(), "nobody");
    }
}
