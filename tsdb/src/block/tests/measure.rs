//! The index of 50 groups of 740 columns takes at most two bytes a series, however the pods are told
//! apart: definitions are shared. `--nocapture` prints the bytes by section.

#[cfg(test)]
use super::*;

/// The labels of the columns of a page: 572 buckets and 168 others, as vLLM shows them.
fn page(column: usize) -> (String, Vec<(&'static str, String)>) {
    let engine = ("engine", "0".to_owned());
    let model = ("model_name", "meta-llama/Llama-3.1-8B-Instruct".to_owned());
    if column < 572 {
        let family = format!("vllm:histogram_{}_seconds", column / 22);
        let name = ("__name__", format!("{family}_bucket"));
        return (family, vec![name, engine, model, ("le", format!("{}.5", column % 22))]);
    }
    let family = format!("vllm:metric_{column}_total");
    (family.clone(), vec![("__name__", family), engine, model])
}

/// Labels that tell pods apart.
fn pod(number: usize) -> Vec<(&'static str, String)> {
    let pod = format!("vllm-decode-7d9f8c6b5-{number:05}");
    let instance = format!("10.0.{number}.7:8000");
    let own = [("namespace", "llm".to_owned()), ("pod", pod), ("instance", instance)];
    [&own[..], &[("job", "vllm".to_owned())]].concat()
}

/// Bytes of the sections, of 50 groups with the identity that `identity` makes of the pod.
fn sections(identity: impl Fn(usize) -> Labels) -> Vec<u64> {
    let disk = SimDisk::new(1);
    let mut writer = BlockWriter::create(&disk, dir(), 12).unwrap();
    for number in 0..50 {
        let columns: Vec<_> = (0..740).map(page).collect();
        let full = |own: &Vec<_>| Labels::from_pairs([&pod(number)[..], own].concat());
        let sets: Vec<_> = columns.iter().map(|(_, own)| full(own)).collect();
        let named: Vec<_> = columns.iter().zip(&sets).map(|(own, set)| (&*own.0, set)).collect();
        writer.begin_group(&identity(number), &named);
        for window in 0..8 {
            let span = (window * 1000, window * 1000 + 999);
            writer.window(span, 720, 720 * 740, b"", &vec![Some(span); 740]).unwrap();
        }
    }
    let done = writer.finish(origin()).unwrap();
    let bytes = disk.files().remove(&done.path).unwrap();
    let sections = super::super::file::read_footer(&bytes).unwrap();
    sections.iter().map(|own| own.end().unwrap() - own.offset).collect()
}

#[test]
fn an_index_of_shared_definitions_is_small() {
    let names = ["facts", "symbols", "definitions", "shapes", "groups", "by own", "by target"];
    let scraped = sections(|number| Labels::from_pairs(pod(number)));
    let sent = sections(|number| labels(&format!("job=vllm,instance=10.0.{number}.7:8000")));
    for (what, bytes) in [("scraped", scraped), ("remote write", sent)] {
        let total: u64 = bytes.iter().sum();
        println!("{what}: {total} bytes, {:.3} a series", total as f64 / 37_000.0);
        names.iter().zip(bytes).for_each(|(name, bytes)| println!("  {name}: {bytes}"));
        assert!(total <= 2 * 37_000, "{what}: {total} bytes");
    }
}
