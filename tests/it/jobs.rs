//! Background jobs: the record, and the engine that works it off.

mod desk;
mod engine;
mod probe;
mod process;
mod record;
mod redis;
mod signals;
mod timetable;
