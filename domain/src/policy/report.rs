//! Reports: numbers for those who hold `READ_REPORT`. Of whose bookings they are is a condition on the rows.

use super::table::table;

table! {
    type Query {
        reports: read(READ_REPORT);
        reports(by, from, to): give(READ_REPORT);
        reports(kind, facultyId): filter(READ_REPORT);
        employerReportUrl: read(MANAGE_EVENT | EMPLOYER);
        employerReportUrl(eventId): give(MANAGE_EVENT | EMPLOYER);
    }
    type Report { title, by, from, to, rows, total, csvUrl, chartUrl, daysAheadChartUrl, note: read(READ_REPORT); }
    type ReportRow {
        label, bookings, booked, attended, noShows, noShowsWithEmployers, excused, cancelled, lateCancelled, waited,
        promoted, attendanceRate, noShowRate, faculty, medianDaysAhead, meanDaysAhead, classPlaces, classAttended,
        classAttendanceRate, eventsLeftOut: read(READ_REPORT);
    }
    enum ReportGrouping { FACULTY, SCHOOL, PROGRAMME, KIND, TERM: both(READ_REPORT); }
}
