//! Who may have a place: the audience of an event, and people whose booking is blocked (policy 2.4).

use entity::{
    event::{self, EventKind},
    ids::{FacultyId, ProgrammeId},
    programme::{self, StudyLevel},
    user::{self, UserKind, UserState},
};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::{
    error::{Refusal, RefusalCode, Result},
    event::{AudienceGroup, audience},
};

/// Somebody who wants a place, or waits for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub kind: UserKind,
    pub faculty_id: Option<FacultyId>,
    pub programme_id: Option<ProgrammeId>,
    pub level: Option<StudyLevel>,
    pub is_blocked: bool,
    pub is_active: bool,
}

impl Candidate {
    /// The person of an account, as they are now.
    pub async fn of(db: &impl ConnectionTrait, person: &user::Model) -> Result<Self> {
        let programme = match person.programme_id {
            Some(id) => programme::Entity::find_by_id(id).one(db).await?,
            None => None,
        };
        Ok(Self {
            kind: person.kind,
            faculty_id: person.faculty_id,
            programme_id: person.programme_id,
            level: programme.map(|programme| programme.level),
            is_blocked: person.booking_blocked_at.is_some(),
            is_active: person.state == UserState::Active,
        })
    }

    fn belongs_to(self, group: AudienceGroup) -> bool {
        (group.faculty_id.is_none() || group.faculty_id == self.faculty_id)
            && (group.programme_id.is_none() || group.programme_id == self.programme_id)
            && (group.level.is_none() || group.level == self.level)
    }
}

/// Why somebody can't have a place at an event; `None` when they can.
#[derive(Debug)]
pub(crate) struct Admission {
    kind: EventKind,
    groups: Vec<AudienceGroup>,
}

impl Admission {
    /// Whom this event admits.
    pub async fn to(db: &impl ConnectionTrait, event: &event::Model) -> Result<Self> {
        Ok(Self {
            kind: event.kind,
            groups: audience(db, event.id).await?,
        })
    }

    /// An event of this kind, for these groups.
    pub fn of(kind: EventKind, groups: Vec<AudienceGroup>) -> Self {
        Self { kind, groups }
    }

    /// The reason that stands between somebody and a place, if there is one.
    pub fn objection(&self, candidate: &Candidate) -> Option<Refusal> {
        let refused = |code, message: &str| {
            Some(Refusal {
                code,
                field: Some("eventId"),
                message: message.to_owned(),
            })
        };
        if !candidate.is_active {
            return refused(RefusalCode::NotEligible, "The account is suspended.");
        }
        if candidate.is_blocked {
            return refused(
                RefusalCode::BookingBlocked,
                "Booking is blocked after missed events. Speak with the Careers Centre to lift the block.",
            );
        }
        match (self.kind, candidate.kind) {
            (EventKind::Training, UserKind::Staff) => return None,
            (EventKind::Training, _) => {
                return refused(RefusalCode::NotEligible, "Training is for staff.");
            }
            (_, UserKind::Student | UserKind::Graduate) => {}
            (_, UserKind::Staff | UserKind::Employer) => {
                return refused(
                    RefusalCode::NotEligible,
                    "Places are for students and graduates.",
                );
            }
        }
        if self.groups.is_empty() || self.groups.iter().any(|group| candidate.belongs_to(*group)) {
            return None;
        }
        refused(
            RefusalCode::NotEligible,
            "The event is for students of other faculties, programmes or levels than yours.",
        )
    }
}

#[cfg(test)]
mod tests {
    use entity::ids::FacultyId;
    use uuid::Uuid;

    use super::*;

    const ENGINEERING: FacultyId = FacultyId(Uuid::from_u128(1));
    const LAW: FacultyId = FacultyId(Uuid::from_u128(2));

    fn student() -> Candidate {
        Candidate {
            kind: UserKind::Student,
            faculty_id: Some(ENGINEERING),
            programme_id: None,
            level: Some(StudyLevel::Undergraduate),
            is_blocked: false,
            is_active: true,
        }
    }

    fn objection(
        kind: EventKind,
        groups: &[AudienceGroup],
        candidate: &Candidate,
    ) -> Option<RefusalCode> {
        let admission = Admission {
            kind,
            groups: groups.to_vec(),
        };
        admission.objection(candidate).map(|refusal| refusal.code)
    }

    #[test]
    fn an_event_without_an_audience_is_for_every_student() {
        assert_eq!(objection(EventKind::Workshop, &[], &student()), None);
    }

    #[test]
    fn one_group_is_enough_but_all_of_it() {
        let law = AudienceGroup {
            faculty_id: Some(LAW),
            ..AudienceGroup::default()
        };
        let engineers = AudienceGroup {
            faculty_id: Some(ENGINEERING),
            level: Some(StudyLevel::Undergraduate),
            ..AudienceGroup::default()
        };
        let research = AudienceGroup {
            faculty_id: Some(ENGINEERING),
            level: Some(StudyLevel::Research),
            ..AudienceGroup::default()
        };
        let check = |groups: &[AudienceGroup]| objection(EventKind::Workshop, groups, &student());
        assert_eq!(check(&[law, engineers]), None);
        assert_eq!(check(&[law]), Some(RefusalCode::NotEligible));
        assert_eq!(check(&[research]), Some(RefusalCode::NotEligible));
    }

    #[test]
    fn training_is_for_staff_and_the_rest_is_not() {
        let staff = Candidate {
            kind: UserKind::Staff,
            ..student()
        };
        let refused = Some(RefusalCode::NotEligible);
        assert_eq!(objection(EventKind::Training, &[], &staff), None);
        assert_eq!(objection(EventKind::Training, &[], &student()), refused);
        assert_eq!(objection(EventKind::Workshop, &[], &staff), refused);
    }

    #[test]
    fn whoever_is_blocked_or_suspended_gets_no_place() {
        let blocked = Candidate {
            is_blocked: true,
            ..student()
        };
        let suspended = Candidate {
            is_active: false,
            ..student()
        };
        let check = |candidate| objection(EventKind::Workshop, &[], candidate);
        assert_eq!(check(&blocked), Some(RefusalCode::BookingBlocked));
        assert_eq!(check(&suspended), Some(RefusalCode::NotEligible));
    }
}
