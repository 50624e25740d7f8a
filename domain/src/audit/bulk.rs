//! Reads of contact details in bulk (policy 3): an answer that tells the e-mail addresses or telephone numbers of more than
//! one person, by whatever way, is a line of the log. Many at once are an export, whatever it is read through.

use entity::access_grant::Permission;
use serde_json::{Value, json};

use crate::{error::Result, store::Tx, viewer::Viewer};

/// What such a read is called in the log.
const READ: &str = "contact_details.read_in_bulk";

/// Of how many people one answer tells the contact details of to whoever may not export contacts (policy 3): a page to work
/// with, and no directory.
const AT_MOST_WITHOUT_EXPORT: usize = 50;

/// Whether an answer that tells the contact details of so many people already may tell those of another.
#[must_use]
pub fn may_tell_of_another(viewer: &Viewer, told: usize) -> bool {
    told < AT_MOST_WITHOUT_EXPORT || viewer.has(Permission::ExportContacts)
}

/// Why it tells of no more, and what would change that.
#[must_use]
pub fn why_of_no_more(viewer: &Viewer) -> String {
    format!(
        "One answer tells the contact details of at most {AT_MOST_WITHOUT_EXPORT} people. For more: {}",
        viewer.why_not(Permission::ExportContacts)
    )
}

/// What one answer told.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkRead {
    /// Of how many people.
    pub people: usize,
    /// Through which fields, as the schema names them.
    pub fields: Vec<&'static str>,
    /// Which fields it left out for some, because there were too many.
    pub withheld: Vec<&'static str>,
    /// What was asked: the operation, and the arguments that narrowed it.
    pub asked: Value,
}

/// Writes it into the log.
pub async fn record(tx: &mut Tx, viewer: &Viewer, read: BulkRead) -> Result<()> {
    let BulkRead {
        people,
        fields,
        withheld,
        asked,
    } = read;
    let mut what = json!({ "people": people, "fields": fields, "asked": asked });
    if !withheld.is_empty() {
        what["withheld"] = json!(withheld);
    }
    tx.audit(viewer, READ, "contact_details", None, Some(what))
        .await
}
