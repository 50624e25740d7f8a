//! What the server is held to whoever calls it: what it tells browsers, whom it lets call from elsewhere, what it waits for.

mod budget;
mod headers;
mod limits;
mod masking;
mod origins;
mod secrets;
mod third_party;
mod tls;
