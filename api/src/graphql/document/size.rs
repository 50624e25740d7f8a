//! How large a part of a document is.

/// The size of a part of a document, with fragments written out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) selections: u64,
    pub(super) aliases: u64,
    pub(super) depth: u64,
    /// Fields of the answer, but for those of a connection's rows.
    pub(super) flat: u64,
    /// Fields of the answer for each row, where the part belongs to a connection.
    pub(super) per_row: u64,
}

impl Size {
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: if self.depth > other.depth {
                self.depth
            } else {
                other.depth
            },
            flat: self.flat.saturating_add(other.flat),
            per_row: self.per_row.saturating_add(other.per_row),
        }
    }

    pub(super) const fn cost(self) -> u64 {
        self.flat.saturating_add(self.per_row)
    }

    /// The size of what this is selected in, one level up.
    pub(super) const fn below(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            ..self
        }
    }
}

/// How many rows a field stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    /// Of the connection that the field is.
    pub(super) of_connection: u64,
    /// Of the list that the field is.
    pub(super) of_list: u64,
}

impl Rows {
    /// No list at all.
    pub(super) const ONE: Self = Self {
        of_connection: 1,
        of_list: 1,
    };
}
