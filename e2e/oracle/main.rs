//! The oracle.
mod generate;
mod judge;
mod shrink;

#[test]
fn explore() {
    let n: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    let t = std::time::Instant::now();
    let pods: Vec<_> = (0..n).map(|i| generate::pod::question(1, i)).collect();
    eprintln!("generated {:?}", t.elapsed());
    let mut judge = judge::Judge::start(|text| eprintln!("{text}")).unwrap();
    let t = std::time::Instant::now();
    let answers = judge.ask_all(&pods).unwrap();
    eprintln!("judged {:?}", t.elapsed());
    std::fs::write(
        "/tmp/oracle-pods.jsonl",
        pods.iter().zip(&answers).map(|(a, b)| format!("{}\n", serde_json::json!([a, b]))).collect::<String>(),
    )
    .unwrap();
    let t = std::time::Instant::now();
    let reviews: Vec<_> = (0..n / 4).map(|i| generate::review::question(1, i)).collect();
    eprintln!("generated {:?}", t.elapsed());
    let answers = judge.ask_all(&reviews).unwrap();
    eprintln!("judged {:?}", t.elapsed());
    std::fs::write(
        "/tmp/oracle-reviews.jsonl",
        reviews.iter().zip(&answers).map(|(a, b)| format!("{}\n", serde_json::json!([a, b]))).collect::<String>(),
    )
    .unwrap();
}
