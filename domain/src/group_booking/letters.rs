//! The letters to whoever booked places for a class.

use entity::{
    event::{self, EventState},
    group_booking::{self, GroupBookingState},
    ids::GroupBookingId,
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::{
    booking::{
        letters::{About, event_link, write},
        person,
    },
    error::Result,
    event::{TellOfCancellation, TellOfMove},
    store::Tx,
    viewer::Viewer,
};

/// The places were given back by somebody else.
pub(super) async fn given_back(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    class: &group_booking::Model,
) -> Result<()> {
    if viewer.user_id() == Some(class.booked_by) {
        return Ok(());
    }
    let fields = json!({
        "by_recipient": false,
        "reason": class.reason,
        "class_name": class.class_name,
        "event_link": event_link(event.id),
    });
    let Some(to) = person(tx, class.booked_by).await? else {
        return Ok(());
    };
    let purpose = format!("booking_cancelled/{}", class.id);
    write(
        tx,
        "booking_cancelled",
        About::only(event),
        (&to).into(),
        purpose,
        fields,
    )
    .await
}

/// The event does not take place.
pub(crate) async fn event_cancelled(
    tx: &mut Tx,
    event: &event::Model,
    job: &TellOfCancellation,
) -> Result<()> {
    for (class, to) in classes(tx, &job.group_ids).await? {
        let fields = json!({
            "reason": job.reason,
            "class_name": class.class_name,
            "calendar_link": "/calendar",
        });
        let purpose = format!("event_cancelled/{}", class.id);
        write(
            tx,
            "event_cancelled",
            About::only(event),
            (&to).into(),
            purpose,
            fields,
        )
        .await?;
    }
    Ok(())
}

/// The event takes place at another time or place. One letter for a class and change.
pub(crate) async fn event_moved(tx: &mut Tx, event: &event::Model, job: &TellOfMove) -> Result<()> {
    for (class, to) in classes(tx, &job.group_ids).await? {
        if class.state != GroupBookingState::Booked || event.state != EventState::Published {
            continue;
        }
        let fields = json!({
            "was": {
                "starts_at": job.was.starts_at,
                "ends_at": job.was.ends_at,
                "place": job.was.place(true),
            },
            "standing": "class",
            "class_name": class.class_name,
            "booking_link": event_link(event.id),
        });
        let purpose = format!("event_moved/{}/{}", class.id, job.version);
        write(
            tx,
            "event_moved",
            About::with_place(event),
            (&to).into(),
            purpose,
            fields,
        )
        .await?;
    }
    Ok(())
}

/// These classes, and who booked each.
async fn classes(
    tx: &Tx,
    ids: &[GroupBookingId],
) -> Result<Vec<(group_booking::Model, user::Model)>> {
    let classes = group_booking::Entity::find()
        .filter(group_booking::Column::Id.is_in(ids.iter().copied()))
        .all(tx.conn())
        .await?;
    let bookers = user::Entity::find()
        .filter(user::Column::Id.is_in(classes.iter().map(|class| class.booked_by)))
        .all(tx.conn())
        .await?;
    Ok(classes
        .into_iter()
        .filter_map(|class| {
            let booker = bookers.iter().find(|user| user.id == class.booked_by)?;
            Some((class, booker.clone()))
        })
        .collect())
}
