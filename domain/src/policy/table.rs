//! The notation of the policy table.

/// Writes one aggregate's part of the policy table: `pub(super) const ROWS`.
///
/// Every coordinate of the schema is named, with who may do what with it. Nothing is inherited, and what isn't named is
/// denied to everybody (and stops the start).
///
/// ```text
/// table! {
///     type Event {
///         id, title: read(EVERYONE);                       // fields
///         placesTaken: read(SIGNED_IN);
///         bookings: read(OPERATOR | MANAGE_EVENT);         // one of several
///         bookings(first, after): give(OPERATOR);          // arguments of a field
///         bookings(state): filter(OPERATOR);
///     }
///     input EventFilter { kind, startsAfter: filter(EVERYONE); }
///     input BookEventInput { eventId: give(STUDENT); }
///     enum EventOrder { STARTS_AT: sort(EVERYONE); }
///     enum EventKind { WORKSHOP, OTHER: both(EVERYONE); }  // read and given
/// }
/// ```
///
/// | right    | stands at                                      | means                                              |
/// |----------|------------------------------------------------|----------------------------------------------------|
/// | `read`   | a field; a field of Mutation or Subscription   | select it; call it                                 |
/// | `give`   | an argument, an input field, an enum value     | send it                                            |
/// | `both`   | an enum value                                  | `read` and `give`                                  |
/// | `filter` | an argument or an input field that narrows     | narrow a list by it                                |
/// | `sort`   | an argument, input field or value that orders  | order a list by it                                 |
macro_rules! table {
    ($(
        $keyword:ident $owner:ident {
            $(
                $( $name:ident $( ( $($argument:ident),+ $(,)? ) )? ),+ $(,)?
                : $( $verb:ident ( $($who:ident)|+ ) )+ ;
            )*
        }
    )*) => {
        /// This aggregate's rows.
        pub(super) const ROWS: &[&[&[$crate::policy::Row]]] = &[$($({
            const RIGHTS: $crate::policy::Rights = $crate::policy::Rights::NONE
                $(.$verb($crate::policy::Who::any(&[$($crate::policy::names::$who),+])))+;
            &[$(
                $crate::policy::table::rows!($owner $name $(($($argument)+))?)
            ),+]
        },)*)*];
    };
}

/// The rows of one name: those of its arguments when it has some, else its own.
macro_rules! rows {
    ($owner:ident $name:ident) => {
        &[$crate::policy::Row::new(
            concat!(stringify!($owner), ".", stringify!($name)),
            RIGHTS,
        )]
    };
    ($owner:ident $name:ident ($($argument:ident)+)) => {
        &[$($crate::policy::Row::new(
            concat!(stringify!($owner), ".", stringify!($name), "(", stringify!($argument), ":)"),
            RIGHTS,
        )),+]
    };
}

pub(super) use {rows, table};
