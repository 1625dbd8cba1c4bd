//! What is told of a file on its way.

use super::*;

/// Sends a file piece by piece; gives for each piece what was handed out of
/// the whole connection so far, and what was reported.
fn pieces(world: &mut World) -> Vec<(usize, u64)> {
    world.latency = ms(1);
    world.call(&file());
    world.run_to(ms(4));
    let conn = world.conn();
    world.stall(conn, true);
    world.run_to(ms(10));
    let mut out = 0;
    let mut pieces = Vec::new();
    while let Some(piece) = world.client.poll_transmit(conn) {
        out += piece.len();
        world.settle();
        pieces.push((out, progress(world).last().map_or(0, |last| last.1)));
    }
    pieces
}

#[test]
fn progress_is_what_of_the_file_was_handed_out() {
    let mut world = world(vec![vec![taken()]]);
    let pieces = pieces(&mut world);
    assert!(pieces.len() > 3, "{pieces:?}");
    let (whole, _) = *pieces.last().unwrap();
    for (out, told) in &pieces {
        // The file is the last of its package, and nothing follows.
        assert_eq!(*told as usize, SIZE.saturating_sub(whole - out));
    }
}

#[test]
fn progress_rises_and_ends_at_the_total() {
    let mut world = world(vec![vec![taken()]]);
    let call = world.call(&file());
    world.run_for(ms(0));
    let told = progress(&world);
    assert!(
        told.windows(2).all(|pair| pair[0].1 < pair[1].1),
        "{told:?}"
    );
    assert!(told.iter().all(|(_, _, total)| *total == SIZE as u64));
    assert_eq!(told.last().unwrap().1, SIZE as u64);
    let id = receipt(&world, call).message_id;
    let events = world.log.events.iter();
    let mut ids = events.filter_map(|(_, event)| match event {
        Event::UploadProgress { message_id, .. } => Some(*message_id),
        _ => None,
    });
    assert!(ids.all(|of| of == id));
}

#[test]
fn another_try_reports_its_progress_from_the_beginning() {
    let mut world = world(vec![vec![Act::Reset], vec![taken()]]);
    world.try_call(&file(), patient(1)).unwrap();
    world.run_for(ms(0));
    let told: Vec<u64> = progress(&world).iter().map(|(_, sent, _)| *sent).collect();
    let (first, second) = told.split_at(told.len() / 2);
    assert_eq!(first, second);
    assert_eq!(first.last(), Some(&(SIZE as u64)));
}
