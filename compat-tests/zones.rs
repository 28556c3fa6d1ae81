//! Zone texts that several tests share.

/// A small ordinary zone with this serial; a second address record tells versions apart.
pub fn example(serial: u32) -> String {
    format!(
        r#"$ORIGIN example.com.
$TTL 3600
@       IN SOA ns1 hostmaster {serial} 7200 900 1209600 300
        IN NS  ns1
        IN NS  ns2.example.net.
        IN MX  10 mail
        IN TXT "v=spf1 mx -all" "second string"
        IN CAA 0 issue "ca.example.net"
ns1     IN A   192.0.2.1
        IN AAAA 2001:db8::1
mail    IN A   192.0.2.25
Www     IN CNAME web
web 60  IN A   192.0.2.80
web 60  IN A   192.0.2.81
*.wild  IN TXT "synthesised"
_sip._tcp IN SRV 5 10 5060 mail
sub     IN NS  ns.sub
ns.sub  IN A   192.0.2.53
other   IN DNAME example.net.
a.b.c   IN A   192.0.2.3
odd     IN TYPE65280 \# 4 0a000001
svc     IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.80
version IN TXT "{serial}"
"#
    )
}

/// A zone with a few thousand names, so that a transfer takes several messages.
pub fn large(origin: &str, serial: u32, names: usize) -> String {
    let mut text = format!(
        "$ORIGIN {origin}.\n$TTL 300\n@ SOA ns1 hostmaster {serial} 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
    );
    for number in 0..names {
        text += &format!("host{number} A 192.0.{}.{}\n", 2 + number / 250 % 100, number % 250);
        text += &format!("host{number} TXT \"some text that stands in every name of this zone\"\n");
    }
    text
}
