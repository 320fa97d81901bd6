//! A booking that depends on a quota.

use eventlogs::ids::LogId;
use eventlogs::{
    Aggregate, CreateOptions, DecideError, DecideOptions, Event, LogManager, LogManagerError,
    across, event_handler,
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
pub(crate) enum CourseEvent {
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
pub(crate) struct Course {
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
pub(crate) enum StudentEvent {
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
pub(crate) struct Student {
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
pub(crate) enum QuotaEvent {
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
pub(crate) struct Quota {
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
pub(crate) enum NoSeat {
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

/// The rule: who gets a seat.
fn seat(course: &Course, student: &Student, quota: &Quota) -> Result<(), NoSeat> {
    if quota.is_closed {
        return Err(NoSeat::Closed);
    }
    if student.courses.len() >= quota.courses {
        return Err(NoSeat::QuotaUsedUp);
    }
    if course.booked >= course.seats {
        return Err(NoSeat::Full);
    }
    Ok(())
}

/// The managers, and the log with the rules of the faculty.
#[derive(Clone)]
struct Faculty {
    courses: LogManager<Course>,
    students: LogManager<Student>,
    quotas: LogManager<Quota>,
    quota: LogId,
}

impl Faculty {
    /// Sets the quota, and plans three courses.
    async fn plan(&self) -> Result<Vec<LogId>, LogManagerError> {
        let set = QuotaEvent::Set {
            courses: COURSES_PER_STUDENT,
        };
        self.quotas
            .create(self.quota, &set, CreateOptions::NONE)
            .await?;
        let mut courses = Vec::new();
        for _ in 0..3 {
            let planned = CourseEvent::Planned { seats: SEATS };
            let course = LogId::new();
            self.courses
                .create(course, &planned, CreateOptions::NONE)
                .await?;
            courses.push(course);
        }
        Ok(courses)
    }

    /// Books a seat for a student, if there is one.
    async fn book(&self, course: LogId, student: LogId) -> Result<(), DecideError<NoSeat>> {
        // The student's log begins with the first booking.
        let student = self.students.log(student).create_if_missing();
        let logs = ((&self.courses, course), student, (&self.quotas, self.quota));
        let booked = across(logs).decide(DecideOptions::NONE, |state, student, quota| {
            seat(state, student, quota)?;
            let booked = (CourseEvent::Booked, StudentEvent::Booked { course });
            // The quota gets no event. It is only looked at, but it must not have changed when the others are written.
            Ok(([booked.0], [booked.1], None))
        });
        booked.await.map(|_| ())
    }

    /// Compares the courses with the students.
    async fn check(
        &self,
        courses: &[LogId],
        students: &[LogId],
        booked: usize,
    ) -> Result<(), LogManagerError> {
        let mut seats_taken = 0;
        for course in courses {
            let course = self.courses.reduce(course).await?;
            assert!(course.aggregate().booked <= SEATS, "no seat is taken twice");
            seats_taken += course.aggregate().booked;
        }
        assert_eq!(seats_taken, booked);
        let mut courses_booked = 0;
        for student in students {
            // Who got no seat has no log.
            if let Ok(student) = self.students.reduce(student).await {
                let courses = student.aggregate().courses.len();
                assert!(courses <= COURSES_PER_STUDENT, "the quota is kept");
                courses_booked += courses;
            }
        }
        assert_eq!(courses_booked, booked, "each booking is in both logs");
        Ok(())
    }
}

/// Books courses for all students, and checks the result.
pub(crate) async fn book(
    courses: LogManager<Course>,
    students: LogManager<Student>,
    quotas: LogManager<Quota>,
) -> Result<(), Box<dyn Error>> {
    println!("\nBookings: {STUDENTS} students, three courses of {SEATS} seats");
    let faculty = Faculty {
        courses,
        students,
        quotas,
        quota: LogId::new(),
    };
    let ids = faculty.plan().await?;
    let everybody: Vec<_> = (0..STUDENTS).map(|_| LogId::new()).collect();

    // Each student asks for all three courses at the same time.
    let asked = everybody
        .iter()
        .flat_map(|student| ids.iter().map(move |course| (*student, *course)));
    let tasks = asked.map(|(student, course)| {
        let faculty = faculty.clone();
        tokio::spawn(async move {
            match faculty.book(course, student).await {
                Ok(()) => Ok(1),
                Err(DecideError::Refused(_)) => Ok(0),
                Err(error) => Err(error),
            }
        })
    });
    let mut booked = 0;
    for task in join_all(tasks).await {
        booked += task??;
    }
    faculty.check(&ids, &everybody, booked).await?;
    println!(
        "   {booked} bookings; no course has more than {SEATS}, no student more than {COURSES_PER_STUDENT}"
    );

    // From now on the quota says no, and no booking can slip through.
    faculty
        .quotas
        .decide(faculty.quota, DecideOptions::NONE, |_| {
            Ok::<_, Infallible>([QuotaEvent::Closed])
        })
        .await?;
    match faculty.book(ids[0], LogId::new()).await {
        Err(DecideError::Refused(why @ NoSeat::Closed)) => {
            println!("   after the quota was closed: {why}");
            Ok(())
        }
        other => Err(format!("a booking after the end: {other:?}").into()),
    }
}
