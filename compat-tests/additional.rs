//! What the records of an answer lead to is in the additional section with nomd as with named: over several records,
//! zones and aliases, up to the same limits.

use super::answers::{ask_all, sign};
use super::peers::{Kind, Server, Spec, Zone};

/// Each owner of the first part is asked for; the others are led to.
const ZONE: &str = r#"$TTL 300
@ SOA ns h 1 3600 900 604800 300
@ NS ns
ns A 127.0.0.1
s NAPTR 1 1 "S" "x" "" srv
sl NAPTR 1 1 "s" "x" "" srv
a NAPTR 1 1 "A" "x" "" t
al NAPTR 1 1 "a" "x" "" t
u NAPTR 1 1 "U" "x" "!.*!x!" .
none NAPTR 1 1 "" "x" "" srv
us NAPTR 1 1 "US" "x" "" srv
as NAPTR 1 1 "AS" "x" "" srv
asa NAPTR 1 1 "AS" "x" "" t
root NAPTR 1 1 "S" "x" "" .
alias NAPTR 1 1 "S" "x" "" asrv
far NAPTR 1 1 "S" "x" "" srv.other.test.
cut NAPTR 1 1 "S" "x" "" srv.sub
cut NAPTR 1 2 "A" "x" "" ns.sub
dname NAPTR 1 1 "S" "x" "" srv.moved
twice NAPTR 1 1 "S" "x" "" srv
twice NAPTR 1 2 "S" "x" "" srv2
wild NAPTR 1 1 "S" "x" "" one.ws
wild NAPTR 1 2 "S" "x" "" ONE.ws
wild NAPTR 1 3 "S" "x" "" two.ws
*.wn NAPTR 1 1 "S" "x" "" srv
many NAPTR 1 1 "S" "x" "" fourteen
many NAPTR 1 2 "A" "x" "" t
mail MX 1 t
mail MX 2 one.wa
mail MX 3 ONE.wa
mail MX 4 c1
mail MX 5 .
srv SRV 1 1 1 t
srv SRV 1 1 443 t
own SRV 1 1 1 own
own A 192.0.2.67
route RT 1 lines
locator LP 1 lines
exchange KX 1 t
cell AFSDB 1 t
box MB t
map PX 1 t t
host HTTPS 1 . alpn=h2
host A 192.0.2.7
_host HTTPS 1 . alpn=h2
_port.host HTTPS 1 . alpn=h2
_port.host A 192.0.2.7
*.wh HTTPS 1 . alpn=h2
*.wh A 192.0.2.77
nowhere HTTPS 0 .
nowhere A 192.0.2.32
mode HTTPS 0 host
mode SVCB 0 host
mode2 HTTPS 0 chost
modew HTTPS 0 one.wh
self HTTPS 0 self
round1 HTTPS 0 round2
round2 HTTPS 0 round1
*.wself HTTPS 0 x.wself
cname HTTPS 1 c1
cnamew HTTPS 1 one.wc
cfar HTTPS 1 cfar1
cround HTTPS 1 cround1
cround HTTPS 2 t
services SVCB 1 t
services SVCB 2 host
services HTTPS 1 t
modes SVCB 0 services
modemany HTTPS 0 httpsmany
"#;

const LED_TO: &str = r#"srv2 SRV 1 1 1 t
t A 192.0.2.9
t AAAA 2001:db8::9
_25._tcp.t TLSA 3 1 1 aabb
_1._tcp.t TLSA 3 1 1 aacc
*._tcp.own TLSA 3 1 1 aadd
asrv CNAME srv
chost CNAME host
c1 CNAME t
cfar1 CNAME t.other.test.
cround1 CNAME cround2
cround2 CNAME cround1
*.ws SRV 1 1 1 one.wa
*.wa A 192.0.2.20
*.wc CNAME c1
lines A 192.0.2.45
lines X25 "1234567"
lines ISDN "1234567"
lines L32 1 10.0.0.1
lines L64 1 0:0:0:1
sub NS ns.sub
ns.sub A 192.0.2.66
srv.sub SRV 1 1 1 t
moved DNAME @
"#;

const OTHER: &str = "$TTL 300\n@ SOA ns h 1 3600 900 604800 300\n@ NS ns\nns A 127.0.0.1\nt A 192.0.2.99\n\
                     srv SRV 1 1 1 t\nback HTTPS 0 host.example.com.\n";

const ALIASES: usize = 20;

/// The zone, with RRsets of too many records and chains of too many aliases.
fn zone() -> String {
    let fourteen = (1..=14).map(|n| format!("fourteen SRV 1 1 {n} t\nhttpsmany HTTPS {n} t alpn=h2\n"));
    let chains = (1..=ALIASES).map(|n| {
        let next = n + 1;
        format!("cc{n} CNAME cc{next}\nh{n} HTTPS 1 cc{n}\nh{n} HTTPS 2 host\nmm{n} HTTPS 0 mm{next}\n")
    });
    let end = format!("cc{} A 192.0.2.33\nmm{0} HTTPS 0 t\n", ALIASES + 1);
    [ZONE.to_owned(), LED_TO.to_owned()].into_iter().chain(fourteen).chain(chains).chain([end]).collect()
}

/// What leads somewhere: an owner and a type.
fn questions() -> Vec<(String, String)> {
    let records = ZONE.lines().skip(4).map(|line| line.split_once(' ').unwrap());
    let of_records = records.map(|(owner, rest)| (owner.replace('*', "x"), rest.split(' ').next().unwrap().to_owned()));
    let of_chains =
        (1..=ALIASES).flat_map(|n| [format!("h{n}"), format!("mm{n}")]).map(|owner| (owner, "HTTPS".to_owned()));
    let more = ["y.wself HTTPS", "*.wh HTTPS", "host ANY", "s ANY", "back.other.test. HTTPS"];
    let more =
        more.iter().filter_map(|text| text.split_once(' ')).map(|(owner, rtype)| (owner.to_owned(), rtype.to_owned()));
    of_records.chain(of_chains).chain(more).collect()
}

/// Asks both; answers are to be the same, but that nomd offers no recursion.
fn compare_with(options: &str, zone: &str, words: &str) {
    let lax = "check-names ignore; check-srv-cname ignore; check-mx-cname ignore; check-integrity no;";
    let zones = vec![Zone::primary("example.com", zone).with(lax), Zone::primary("other.test", OTHER)];
    let spec = Spec { zones, options: format!("max-udp-size 4096; {options}"), ..Spec::default() };
    let name = |owner: &str| if owner.ends_with('.') { owner.to_owned() } else { format!("{owner}.example.com") };
    let line = |(owner, rtype): (String, String)| format!("-q {} -t {rtype} +bufsize=4096 {words}", name(&owner));
    let questions: Vec<String> = questions().into_iter().map(line).collect();
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| {
        let server = Server::start(kind, &spec);
        server.wait_for_serial("other.test", 1);
        ask_all(&server, &questions)
    });
    for ((question, mut theirs), (_, ours)) in theirs.into_iter().zip(ours) {
        theirs.flags = theirs.flags.replace(" ra", "");
        assert!(theirs == ours, "{question}\n{}", theirs.difference(&ours));
    }
}

#[test]
fn records_lead_to_the_additional_data_that_named_adds() {
    for minimal in ["no", "no-auth", "yes"] {
        compare_with(&format!("minimal-responses {minimal};"), &zone(), "+norec");
    }
    compare_with("", &zone(), "+rec");
}

#[test]
fn additional_data_come_from_other_zones_as_with_named() {
    compare_with("recursion yes; allow-recursion { any; }; max-query-restarts 3;", &zone(), "+norec");
}

#[test]
fn additional_data_are_signed_as_with_named() {
    compare_with("", &sign("example.com", &zone(), &[]), "+norec +dnssec +tcp");
}
