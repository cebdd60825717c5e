use super::*;
use crate::jobs::Policy;
use crate::service::Malformed;

fn id(name: &str) -> JobId {
    JobId::new(name.to_owned()).unwrap()
}

fn delivery(name: &str) -> Delivery {
    Delivery {
        id: id(name),
        batch: Batch::default(),
        submission: Submission {
            request: Err(Malformed::NoInput.into()),
            policy: Policy::UNLIMITED,
        },
    }
}

fn admit(registry: &Arc<Registry>, name: &str) -> Ticket {
    match registry.admit(delivery(name)) {
        Admission::New(ticket, _) => ticket,
        Admission::Again(..) | Admission::Held | Admission::Answered(..) => {
            panic!("{name} is not new")
        }
    }
}

#[tokio::test]
async fn room_is_free_when_a_result_is_ready_and_not_when_too_many_are_not_acknowledged() {
    let registry = Arc::new(Registry::new(1));
    assert_eq!(registry.room().await, 1);
    let first = admit(&registry, "a");
    assert_eq!(registry.free(&registry.load()), 0);
    first.ready();
    assert_eq!(registry.room().await, 1);
    let second = admit(&registry, "b");
    second.ready();
    assert_eq!(registry.free(&registry.load()), 0);
    drop(first);
    assert_eq!(registry.room().await, 1);
}

#[tokio::test]
async fn a_job_is_held_until_its_ticket_is_dropped() {
    let registry = Arc::new(Registry::new(4));
    let (a, b) = (admit(&registry, "a"), admit(&registry, "b"));
    a.ready();
    assert!(matches!(registry.admit(delivery("a")), Admission::Held));
    assert_eq!(registry.ids(), [id("a"), id("b")]);
    drop(a);
    assert_eq!(registry.ids(), [id("b")]);
    drop(b);
    registry.drained().await;
}

#[test]
fn a_delivery_is_covered_by_an_answer_that_is_sent_later_and_by_no_other() {
    let registry = Arc::new(Registry::new(1));
    let ticket = admit(&registry, "a");
    registry.admit(delivery("a"));
    ticket.sending();
    assert!(ticket.take_copy().is_none());
    registry.admit(delivery("a"));
    assert!(ticket.take_copy().is_some());
}

#[tokio::test]
async fn a_stopped_job_makes_room() {
    let registry = Arc::new(Registry::new(1));
    let ticket = admit(&registry, "a");
    let task = tokio::spawn(async move {
        std::future::pending::<()>().await;
        drop(ticket);
    });
    registry.attach(&id("a"), task.abort_handle());
    assert!(registry.stop(&id("a")));
    assert!(!registry.stop(&id("b")));
    assert_eq!(registry.room().await, 1);
}

#[test]
fn an_answered_job_is_known_by_its_result() {
    let registry = Arc::new(Registry::new(1));
    let ticket = admit(&registry, "a");
    ticket.remember(Bytes::from_static(b"result"));
    drop(ticket);
    let Admission::Answered(ticket, result) = registry.admit(delivery("a")) else {
        panic!("not known");
    };
    assert_eq!(result, "result");
    let posting = Load {
        posting: 1,
        ..Load::default()
    };
    assert_eq!(registry.load(), posting);
    drop(ticket);
}

#[test]
fn a_job_that_ended_without_a_result_is_run_again_and_is_not_new() {
    let registry = Arc::new(Registry::new(1));
    drop(admit(&registry, "a"));
    assert!(matches!(
        registry.admit(delivery("a")),
        Admission::Again(..)
    ));
    admit(&registry, "b");
}

#[test]
fn late_results_hold_up_no_others_and_are_bounded() {
    let registry = Arc::new(Registry::new(1));
    let tickets: Vec<_> = ["a", "b", "c"].map(|name| admit(&registry, name)).into();
    let kept: Vec<bool> = tickets.iter().map(Ticket::overdue).collect();
    assert_eq!(kept, [true, true, false]);
    assert_eq!(registry.free(&registry.load()), 1);
}
