//! Reads of contact details in bulk (policy 3): an answer that tells the e-mail addresses or telephone numbers of more than
//! one person, by whatever way, is a line of the log. Many at once are an export, whatever it is read through.

use serde_json::{Value, json};

use crate::{error::Result, store::Tx, viewer::Viewer};

/// What such a read is called in the log.
const READ: &str = "contact_details.read_in_bulk";

/// Of how many people one answer tells the contact details of to whoever may not export contacts (policy 3): a page to work
/// with, and no directory.
pub const AT_MOST_WITHOUT_EXPORT: usize = 50;

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
