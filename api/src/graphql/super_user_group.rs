//! The Super User Group, and who stands for which faculty (policy 3).

use async_graphql::{Context, InputObject, Object, Result};
use domain::super_user_group::{self as group, Coverage, Member};
use entity::ids::{FacultyId, UserId};

use super::{
    begin,
    errors::{Payload, payload},
    id::Id,
    person::{self, Person},
    store,
    university::{self, Faculty},
    viewer,
};

/// Queries about the group.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuperUserGroupQuery;

/// Mutations about the group.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuperUserGroupMutation;

/// The Super User Group.
#[derive(Clone, Copy, Debug)]
pub struct SuperUserGroup;

/// The Super User Group: one representative of each faculty and staff of the Careers Centre (policy 3).
#[Object]
impl SuperUserGroup {
    /// Its members, by name.
    async fn members(&self, ctx: &Context<'_>) -> Option<Result<Vec<SuperUserMember>>> {
        Some(members(ctx).await)
    }

    /// Every faculty, by name, with who stands for it; one for which nobody does is shown too.
    async fn coverage(&self, ctx: &Context<'_>) -> Option<Result<Vec<FacultyCoverage>>> {
        Some(coverage(ctx).await)
    }
}

async fn members(ctx: &Context<'_>) -> Result<Vec<SuperUserMember>> {
    let members = group::members(store(ctx)?.reader()).await?;
    Ok(members.into_iter().map(SuperUserMember).collect())
}

async fn coverage(ctx: &Context<'_>) -> Result<Vec<FacultyCoverage>> {
    let coverage = group::coverage(store(ctx)?.reader()).await?;
    Ok(coverage.into_iter().map(FacultyCoverage).collect())
}

/// A member of the group.
#[derive(Clone, Debug)]
pub struct SuperUserMember(Member);

impl From<Member> for SuperUserMember {
    fn from(member: Member) -> Self {
        Self(member)
    }
}

/// A member of the Super User Group.
#[Object]
impl SuperUserMember {
    /// Who it is.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.user_id).await.transpose()
    }

    /// The faculty they represent; null for staff of the Careers Centre.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id?)
            .await
            .transpose()
    }
}

/// Who stands for a faculty.
#[derive(Clone, Debug)]
pub struct FacultyCoverage(Coverage);

impl From<Coverage> for FacultyCoverage {
    fn from(coverage: Coverage) -> Self {
        Self(coverage)
    }
}

/// Who stands for a faculty in what concerns the system.
#[Object]
impl FacultyCoverage {
    /// The faculty.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty.id)
            .await
            .transpose()
    }

    /// Who represents it in the Super User Group; null where nobody does.
    async fn representative(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.representative?)
            .await
            .transpose()
    }

    /// Who passes on updates, policy changes, faults and improvements; null where nobody does.
    async fn disseminator(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.disseminator?).await.transpose()
    }
}

/// Somebody to be taken into the group.
#[derive(Debug, InputObject)]
pub struct AddSuperUserInput {
    /// Who it is.
    user_id: Id<UserId>,
    /// The faculty they represent, which has nobody else; none for staff of the Careers Centre.
    faculty_id: Option<Id<FacultyId>>,
}

/// Somebody to be taken out of the group.
#[derive(Debug, InputObject)]
pub struct RemoveSuperUserInput {
    /// Who it is.
    user_id: Id<UserId>,
}

/// Who is to pass things on in a faculty.
#[derive(Debug, InputObject)]
pub struct SetDisseminatorInput {
    /// The faculty.
    faculty_id: Id<FacultyId>,
    /// Who it is, in place of whoever it was; without this nobody is.
    user_id: Option<Id<UserId>>,
}

payload! {
    /// What became of a new member.
    AddSuperUserPayload {
        /// The member.
        member: SuperUserMember,
    }
}

payload! {
    /// What became of a member who was to leave.
    RemoveSuperUserPayload {
        /// The group without them.
        super_user_group: SuperUserGroup,
    }
}

payload! {
    /// What became of a disseminator.
    SetDisseminatorPayload {
        /// Who stands for the faculty now.
        coverage: FacultyCoverage,
    }
}

#[Object]
impl SuperUserGroupQuery {
    /// The Super User Group, and who stands for which faculty (policy 3).
    async fn super_user_group(&self) -> Option<SuperUserGroup> {
        Some(SuperUserGroup)
    }
}

#[Object]
impl SuperUserGroupMutation {
    /// Takes somebody into the Super User Group, as the representative of a faculty or for the Careers Centre.
    async fn add_super_user(
        &self,
        ctx: &Context<'_>,
        input: AddSuperUserInput,
    ) -> Result<AddSuperUserPayload> {
        let mut tx = begin(ctx).await?;
        let faculty_id = input.faculty_id.map(|id| id.0);
        let added = group::add_super_user(&mut tx, viewer(ctx)?, input.user_id.0, faculty_id).await;
        AddSuperUserPayload::commit(tx, added).await
    }

    /// Takes somebody out of the Super User Group.
    async fn remove_super_user(
        &self,
        ctx: &Context<'_>,
        input: RemoveSuperUserInput,
    ) -> Result<RemoveSuperUserPayload> {
        let mut tx = begin(ctx).await?;
        let removed = group::remove_super_user(&mut tx, viewer(ctx)?, input.user_id.0).await;
        RemoveSuperUserPayload::commit(tx, removed.map(|()| SuperUserGroup)).await
    }

    /// Says who passes on updates, policy changes, faults and improvements in a faculty.
    async fn set_disseminator(
        &self,
        ctx: &Context<'_>,
        input: SetDisseminatorInput,
    ) -> Result<SetDisseminatorPayload> {
        let mut tx = begin(ctx).await?;
        let user_id = input.user_id.map(|id| id.0);
        let set = group::set_disseminator(&mut tx, viewer(ctx)?, input.faculty_id.0, user_id).await;
        SetDisseminatorPayload::commit(tx, set).await
    }
}
