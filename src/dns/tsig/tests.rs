//! Both sides against each other and against dig's requests, and every way in which a signature can be wrong.

use super::*;

const NOW: u64 = 1_700_000_000;

fn key(algorithm: Algorithm, truncate_bits: Option<u16>) -> Key {
    Key { name: "Transfer-Key.".parse().unwrap(), algorithm, truncate_bits, secret: b"0123456789abcdef".to_vec() }
}

fn query(id: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend(b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x00\x00\xfc\x00\x01");
    message
}

fn response(id: u16) -> Vec<u8> {
    let mut message = query(id);
    message[2] = 0x84;
    message
}

fn signed(mut message: Vec<u8>, sign: impl FnOnce(&[u8]) -> Built) -> Vec<u8> {
    let built = sign(&message);
    built.append_to(&mut message);
    message
}

fn check<'k>(bytes: &[u8], key: &'k Key, now_s: u64) -> Result<Verdict<'k>, WireError> {
    let find = |name: NameRef<'_>, algorithm| (name == key.name.as_ref() && algorithm == key.algorithm).then_some(key);
    check_request(&Message::new(bytes).unwrap(), find, now_s)
}

fn refusal<'k>(bytes: &[u8], key: &'k Key, now_s: u64) -> Box<Refusal<'k>> {
    match check(bytes, key, now_s) {
        Ok(Verdict::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn receive(chain: &mut Chain<&Key>, bytes: &[u8]) -> Result<(), TsigError> {
    chain.check_response(&Message::new(bytes).unwrap(), NOW)
}

const ALL: [Algorithm; 6] =
    [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha224, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];

#[test]
fn an_exchange_of_many_messages_verifies_with_every_algorithm() {
    for algorithm in ALL {
        for bits in [None, Some(algorithm.bits() / 2 / 8 * 8), Some(80)] {
            if bits.is_some_and(|bits| bits < algorithm.bits().div_ceil(2).max(80)) {
                continue;
            }
            let key = key(algorithm, bits);
            let mut client = Chain::new(&key);
            let request = signed(query(7), |message| client.sign_request(message, NOW));
            let Ok(Verdict::Verified(mut server)) = check(&request, &key, NOW + 300) else { panic!("{algorithm:?}") };
            for _ in 0..3 {
                let reply = signed(response(7), |message| server.sign(message, NOW));
                assert!(reply.len() - response(7).len() <= server.record_length());
                assert_eq!(receive(&mut client, &reply), Ok(()), "{algorithm:?} {bits:?}");
            }
        }
    }
}

#[test]
fn a_forwarder_may_change_the_id() {
    let key = key(Algorithm::Sha256, None);
    let mut request = signed(query(7), |message| Chain::new(&key).sign_request(message, NOW));
    request[0] = 9;
    assert!(matches!(check(&request, &key, NOW), Ok(Verdict::Verified(_))));
}

#[test]
fn an_unsigned_request_is_told_apart() {
    assert!(matches!(check(&query(1), &key(Algorithm::Sha256, None), NOW), Ok(Verdict::Unsigned)));
}

#[test]
fn unknown_keys_and_other_algorithms_are_badkey_and_unsigned() {
    let (mine, mut other) = (key(Algorithm::Sha256, None), key(Algorithm::Sha256, None));
    other.name = "other.".parse().unwrap();
    for theirs in [other, key(Algorithm::Sha512, None)] {
        let mut client = Chain::new(&theirs);
        let request = signed(query(7), |message| client.sign_request(message, NOW));
        let refusal = refusal(&request, &mine, NOW);
        assert_eq!(refusal.error, Rcode::BADKEY);
        let reply = signed(response(7), |message| refusal.sign(message, NOW));
        let message = Message::new(&reply).unwrap();
        let tsig = Tsig::find(&message).unwrap().unwrap();
        assert_eq!((tsig.mac, tsig.error, tsig.original_id), (&b""[..], Rcode::BADKEY, 7));
        assert_eq!(receive(&mut client, &reply), Err(TsigError::Peer(Rcode::BADKEY)));
    }
}

#[test]
fn any_changed_bit_is_badsig() {
    let key = key(Algorithm::Sha256, None);
    let request = signed(query(7), |message| Chain::new(&key).sign_request(message, NOW));
    let mut wrong_secret = key.clone();
    wrong_secret.secret.push(1);
    assert_eq!(refusal(&request, &wrong_secret, NOW).error, Rcode::BADSIG);
    // Flags, a letter of the question, the type, a byte of the MAC.
    for place in [3, 14, 23, request.len() - 12] {
        let mut changed = request.clone();
        changed[place] ^= 1;
        assert_eq!(refusal(&changed, &key, NOW).error, Rcode::BADSIG, "byte {place}");
    }
}

#[test]
fn a_stale_request_is_badtime_with_the_servers_time_and_signed() {
    let key = key(Algorithm::Sha256, None);
    let mut client = Chain::new(&key);
    let request = signed(query(7), |message| client.sign_request(message, NOW));
    for late in [NOW + 301, NOW - 301] {
        let refusal = refusal(&request, &key, late);
        assert_eq!(refusal.error, Rcode::BADTIME);
        let reply = signed(response(7), |message| refusal.sign(message, late));
        let message = Message::new(&reply).unwrap();
        let tsig = Tsig::find(&message).unwrap().unwrap();
        assert_eq!((tsig.time_s, tsig.other), (NOW, &late.to_be_bytes()[2..]));
        assert_eq!(receive(&mut client.clone(), &reply), Err(TsigError::PeerClock(late)));
    }
}

#[test]
fn a_mac_shorter_than_the_key_wants_is_badtrunc_and_signed() {
    let (whole, cut) = (key(Algorithm::Sha256, None), key(Algorithm::Sha256, Some(128)));
    let request = signed(query(7), |message| Chain::new(&cut).sign_request(message, NOW));
    let refusal = refusal(&request, &whole, NOW);
    assert_eq!(refusal.error, Rcode::BADTRUNC);
    let reply = signed(response(7), |message| refusal.sign(message, NOW));
    let message = Message::new(&reply).unwrap();
    assert_eq!(Tsig::find(&message).unwrap().unwrap().mac.len(), 32);
    assert!(matches!(check(&request, &cut, NOW), Ok(Verdict::Verified(_))));
}

#[test]
fn absurd_mac_lengths_are_formerr() {
    let (whole, cut) = (key(Algorithm::Sha256, None), key(Algorithm::Sha256, Some(120)));
    let request = signed(query(7), |message| Chain::new(&cut).sign_request(message, NOW));
    let refusal = refusal(&request, &whole, NOW);
    assert_eq!((refusal.rcode, refusal.error), (Rcode::FORMERR, Rcode::BADSIG));
}

#[test]
fn an_answer_is_cut_no_further_than_its_request() {
    let cut = key(Algorithm::Sha256, Some(128));
    let request = signed(query(7), |message| Chain::new(&key(Algorithm::Sha256, None)).sign_request(message, NOW));
    let Ok(Verdict::Verified(mut chain)) = check(&request, &cut, NOW) else { panic!("not verified") };
    let reply = signed(response(7), |message| chain.sign(message, NOW));
    let message = Message::new(&reply).unwrap();
    assert_eq!(Tsig::find(&message).unwrap().unwrap().mac.len(), 32);
}

#[test]
fn an_unsigned_message_within_a_chain_is_refused() {
    let key = key(Algorithm::Sha256, None);
    let mut client = Chain::new(&key);
    let request = signed(query(7), |message| client.sign_request(message, NOW));
    let Ok(Verdict::Verified(mut server)) = check(&request, &key, NOW) else { panic!() };
    let first = signed(response(7), |message| server.sign(message, NOW));
    let second = signed(response(7), |message| server.sign(message, NOW));
    assert_eq!(receive(&mut client, &first), Ok(()));
    assert_eq!(receive(&mut client, &response(7)), Err(TsigError::Missing));
    assert_eq!(receive(&mut client.clone(), &first), Err(TsigError::Wrong), "a message sent twice");
    assert_eq!(receive(&mut client, &second), Ok(()));
}

#[test]
fn tsig_must_be_the_last_record() {
    let key = key(Algorithm::Sha256, None);
    let mut request = signed(query(7), |message| Chain::new(&key).sign_request(message, NOW));
    request.extend(b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00");
    request[11] += 1;
    assert_eq!(check(&request, &key, NOW).unwrap_err(), WireError::BadField);
}

/// What dig 9.18 sends for `dig +noedns +norec -y ALGORITHM:Transfer-Key.:MDEyMzQ1Njc4OWFiY2RlZg== example SOA`.
const FROM_DIG: [&str; 6] = [
    "942b00200001000000000001076578616d706c6500000600010c7472616e736665722d6b65790000fa00ff00000000003a08686d61632d6d6435077369672d616c670372656703696e740000006b010a1d012c00102160bdd20faaa7bfd81b6d0cd7e3899b942b00000000",
    "44cf00200001000000000001076578616d706c6500000600010c7472616e736665722d6b65790000fa00ff00000000002f09686d61632d736861310000006b010a1d012c0014f390c1226b83bbdb301deb6191264f8e1580e9f344cf00000000",
    "6dd300200001000000000001076578616d706c6500000600010c7472616e736665722d6b65790000fa00ff0000000000390b686d61632d7368613232340000006b010a1d012c001c7952b00f75189ef7700802d755c1331c3e98b3a1f38917933cbaa6846dd300000000",
    "7a2a00200001000000000001076578616d706c6500000600010c7472616e736665722d6b65790000fa00ff00000000003d0b686d61632d7368613235360000006b010a1d012c0020c47d27e33df13261120ec2afb355564d941fc0ca02b0791a60dd4a190929d2117a2a00000000",
    "a0fb00200001000000000001076578616d706c6500000600010c7472616e736665722d6b65790000fa00ff00000000004d0b686d61632d7368613338340000006b010a1d012c0030aa3ebbe9f950b6d095038d5ae69b1c6d7e1657ed37f88f1afec23d7f5d699caf0ca05ffded0a5ad021b3a4136e5218dfa0fb00000000",
    "477100200001000000000001076578616d706c6500000600010c7472616e736665722d6b65790000fa00ff00000000005d0b686d61632d7368613531320000006b010a1d012c0040e104e74a3fbc9d030206506268c833e3fd7d4c7a6d87a8b7769ccd559e8deab642dee00d577e9b9c369cbe4db4b96e326ee3e83ae7703e52adff10165a8ddde7477100000000",
];

#[test]
fn requests_of_dig_verify_and_are_signed_alike() {
    for (algorithm, hex) in ALL.into_iter().zip(FROM_DIG) {
        let request = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let message = Message::new(&request).unwrap();
        let tsig = Tsig::find(&message).unwrap().unwrap();
        let key = key(algorithm, None);
        assert!(matches!(check(&request, &key, tsig.time_s), Ok(Verdict::Verified(_))), "{algorithm:?}");
        let mut bare = request[..tsig.start].to_vec();
        bare[11] = 0;
        let built = Chain::new(&key).sign_request(&bare, tsig.time_s);
        assert_eq!(built.as_bytes().to_ascii_lowercase(), request[tsig.start..].to_ascii_lowercase());
    }
}
