"""Reads a calendar from standard input as a calendar program would, and prints as JSON what it means.

`icalendar` reads it, `recurring-ical-events` says what takes place. Once as it is, where the reader knows the time zone by
its name; and once under a name that nobody knows, so that only the definition in the calendar can be meant.
"""

import datetime
import json
import sys

import icalendar
import recurring_ical_events

UTC = datetime.timezone.utc


def moment(value):
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(event, name):
    value = event.get(name)
    if isinstance(value, icalendar.vCategory):
        return value.to_ical().decode()
    return None if value is None else str(value)


def events(calendar):
    found = recurring_ical_events.of(calendar).between(
        datetime.datetime(1996, 6, 1, tzinfo=UTC), datetime.datetime(2100, 1, 1, tzinfo=UTC)
    )
    return [
        {
            "uid": text(event, "UID"),
            "sequence": int(event["SEQUENCE"]),
            "status": text(event, "STATUS"),
            "summary": text(event, "SUMMARY"),
            "description": text(event, "DESCRIPTION"),
            "location": text(event, "LOCATION"),
            "url": text(event, "URL"),
            "transp": text(event, "TRANSP"),
            "starts": moment(event.start),
            "ends": moment(event.end),
            "stamp": moment(event["DTSTAMP"].dt),
        }
        for event in sorted(found, key=lambda event: (event.start, text(event, "UID")))
    ]


def main():
    raw = sys.stdin.buffer.read()
    lines = raw.split(b"\r\n")
    calendar = icalendar.Calendar.from_ical(raw)
    unknown = icalendar.Calendar.from_ical(raw.replace(b"Europe/London", b"Nobody/Knows"))
    read, by_definition = events(calendar), events(unknown)
    problems = [str(error) for event in calendar.walk() for error in event.errors]
    if lines.pop() != b"" or any(b"\n" in line or b"\r" in line for line in lines):
        problems.append("a line does not end in CR LF")
    if any(len(line) > 75 for line in lines):
        problems.append("a line is longer than 75 bytes")
    if [event["starts"] for event in read] != [event["starts"] for event in by_definition]:
        problems.append("the time zone's definition means other times than its name")
    json.dump(
        {
            "name": text(calendar, "X-WR-CALNAME"),
            "method": text(calendar, "METHOD"),
            "problems": problems,
            "events": read,
        },
        sys.stdout,
    )


main()
