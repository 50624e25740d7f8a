//! What handlers work with besides the database.

/// Shared by all jobs of a process; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Services {}
