//! A booking that depends on a quota.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CreateOptions, DecideError, DecideOptions, Event, LogManager, across, event_handler,
};
use futures_util::future::join_all;
use std::convert::Infallible;
use std::error::Error;

const STUDENTS: usize = 40;
const SEATS: usize = 25;
/// The number of courses that a student may book.
const COURSES_PER_STUDENT: usize = 2;

/// What happens to a course.
#[derive(Debug, Clone, PartialEq, Event)]
pub enum CourseEvent {
    /// The course takes place.
    #[event(name = "course.planned")]
    Planned {
        /// The number of seats.
        seats: usize,
    },
    /// A student got a seat.
    #[event(name = "course.booked")]
    Booked,
}

/// The state of a course.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = CourseEvent)]
pub struct Course {
    seats: usize,
    booked: usize,
}

#[event_handler(CourseEvent)]
impl Course {
    #[on(Planned)]
    fn plan(&mut self, seats: usize) {
        self.seats += seats;
    }

    #[on(Booked)]
    fn book(&mut self) {
        self.booked += 1;
    }
}

/// What happens to a student.
#[derive(Debug, Clone, PartialEq, Event)]
pub enum StudentEvent {
    /// The student has a seat in a course.
    #[event(name = "student.booked")]
    Booked {
        /// The log of the course.
        course: LogId,
    },
}

/// The state of a student.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = StudentEvent)]
pub struct Student {
    courses: Vec<LogId>,
}

#[event_handler(StudentEvent)]
impl Student {
    #[on(Booked)]
    fn book(&mut self, course: &LogId) {
        self.courses.push(*course);
    }
}

/// What the faculty decides.
#[derive(Debug, Clone, PartialEq, Event)]
pub enum QuotaEvent {
    /// A student may book this number of courses.
    #[event(name = "quota.set")]
    Set {
        /// The number of courses.
        courses: usize,
    },
    /// Nobody may book any more.
    #[event(name = "quota.closed")]
    Closed,
}

/// The rules of the faculty.
#[derive(Debug, Default, Clone, Aggregate)]
#[aggregate(event = QuotaEvent)]
pub struct Quota {
    courses: usize,
    is_closed: bool,
}

#[event_handler(QuotaEvent)]
impl Quota {
    #[on(Set)]
    fn set(&mut self, courses: usize) {
        self.courses = courses;
    }

    #[on(Closed)]
    fn close(&mut self) {
        self.is_closed = true;
    }
}

/// Why a student gets no seat.
#[derive(Debug, thiserror::Error)]
pub enum NoSeat {
    /// The faculty takes no more bookings.
    #[error("bookings are closed")]
    Closed,
    /// The course is full.
    #[error("the course is full")]
    Full,
    /// The student has booked as many courses as the quota allows.
    #[error("the quota is used up")]
    QuotaUsedUp,
}

/// Books courses for all students, and checks the result.
pub(crate) async fn book(
    courses: LogManager<Course>,
    students: LogManager<Student>,
    quotas: LogManager<Quota>,
) -> Result<(), Box<dyn Error>> {
    println!("\nBookings: {STUDENTS} students, three courses of {SEATS} seats");
    let quota = LogId::new();
    let set = QuotaEvent::Set {
        courses: COURSES_PER_STUDENT,
    };
    quotas.create(quota, &set, CreateOptions::NONE).await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let planned = CourseEvent::Planned { seats: SEATS };
        let course = LogId::new();
        courses.create(course, &planned, CreateOptions::NONE).await?;
        ids.push(course);
    }
    let everybody: Vec<_> = (0..STUDENTS).map(|_| LogId::new()).collect();

    // Each student asks for all three courses at the same time.
    let asked = everybody.iter().flat_map(|student| ids.iter().map(move |course| (*student, *course)));
    let tasks = asked.map(|(student, course)| {
        let (courses, students, quotas) = (courses.clone(), students.clone(), quotas.clone());
        tokio::spawn(async move {
            // The student's log begins with the first booking.
            let student = students.log(student).create_if_missing();
            let logs = ((&courses, course), student, (&quotas, quota));
            let booked = across(logs).decide(DecideOptions::NONE, |state, student, quota| {
                if quota.is_closed {
                    return Err(NoSeat::Closed);
                }
                if student.courses.len() >= quota.courses {
                    return Err(NoSeat::QuotaUsedUp);
                }
                if state.booked >= state.seats {
                    return Err(NoSeat::Full);
                }
                // The quota gets no event. It is only looked at, but it must not have changed when the others are written.
                Ok(([CourseEvent::Booked], [StudentEvent::Booked { course }], None))
            });
            match booked.await {
                Ok(_) => Ok(true),
                Err(DecideError::Refused(_)) => Ok(false),
                Err(DecideError::Log(error)) => Err(error),
            }
        })
    });
    let mut booked = 0;
    for task in join_all(tasks).await {
        booked += usize::from(task??);
    }

    let mut seats_taken = 0;
    for course in &ids {
        let course = courses.reduce(course).await?;
        assert!(course.aggregate().booked <= SEATS, "no seat is taken twice");
        seats_taken += course.aggregate().booked;
    }
    assert_eq!(seats_taken, booked);
    let mut courses_booked = 0;
    for student in &everybody {
        if let Ok(student) = students.reduce(student).await {
            let booked = student.aggregate().courses.len();
            assert!(booked <= COURSES_PER_STUDENT, "nobody has more than the quota allows");
            courses_booked += booked;
        }
    }
    assert_eq!(courses_booked, booked, "each booking is in both logs");
    println!("   {booked} bookings; no course has more than {SEATS}, no student more than {COURSES_PER_STUDENT}");

    // From now on the quota says no, and no booking can slip through.
    quotas
        .decide(quota, DecideOptions::NONE, |_| Ok::<_, Infallible>([QuotaEvent::Closed]))
        .await?;
    let late = students.log(LogId::new()).create_if_missing();
    let refused = across((courses.log(ids[0]), late, quotas.log(quota)))
        .decide(DecideOptions::NONE, |_, _, quota| {
            if quota.is_closed {
                return Err(NoSeat::Closed);
            }
            let course = ids[0];
            Ok(([CourseEvent::Booked], [StudentEvent::Booked { course }], None))
        })
        .await;
    match refused {
        Err(DecideError::Refused(why)) => println!("   after the quota was closed: {why}"),
        other => return Err(format!("a booking after the end: {other:?}").into()),
    }
    Ok(())
}
