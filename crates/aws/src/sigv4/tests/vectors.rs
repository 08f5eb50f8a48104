//! Vectors of AWS's published test suite for Signature Version 4, as far as a request with that target can be received.

use super::{Sent, keys};
use crate::sigv4::time::Timestamp;
use crate::sigv4::{Head, Signature, Verifier};
use http::{Request, Uri};

struct Vector {
    method: &'static str,
    target: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    signed: &'static str,
    signature: &'static str,
}

const VECTORS: &[Vector] = &[
    // get-header-key-duplicate
    Vector {
        method: "GET",
        target: "/",
        headers: &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
        body: "",
        signed: "host;my-header1;x-amz-date",
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    },
    // get-header-value-order
    Vector {
        method: "GET",
        target: "/",
        headers: &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        body: "",
        signed: "host;my-header1;x-amz-date",
        signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    },
    // get-header-value-trim
    Vector {
        method: "GET",
        target: "/",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        body: "",
        signed: "host;my-header1;my-header2;x-amz-date",
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    },
    // get-relative-normalized
    Vector {
        method: "GET",
        target: "/example/..",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // get-relative-relative-normalized
    Vector {
        method: "GET",
        target: "/example1/example2/../..",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // get-slash-dot-slash-normalized
    Vector {
        method: "GET",
        target: "/./",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // get-slash-normalized
    Vector {
        method: "GET",
        target: "//",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // get-slash-pointless-dot-normalized
    Vector {
        method: "GET",
        target: "/./example",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    },
    // get-slashes-normalized
    Vector {
        method: "GET",
        target: "//example//",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    },
    // get-unreserved
    Vector {
        method: "GET",
        target: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    },
    // get-utf8
    Vector {
        method: "GET",
        target: "/ሴ",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    },
    // get-vanilla
    Vector {
        method: "GET",
        target: "/",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    // get-vanilla-empty-query-key
    Vector {
        method: "GET",
        target: "/?Param1=value1",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    },
    // get-vanilla-query-order-encoded
    Vector {
        method: "GET",
        target: "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    },
    // get-vanilla-query-order-key-case
    Vector {
        method: "GET",
        target: "/?Param2=value2&Param1=value1",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    },
    // get-vanilla-query-unreserved
    Vector {
        method: "GET",
        target: "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    },
    // get-vanilla-utf8-query
    Vector {
        method: "GET",
        target: "/?ሴ=bar",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    },
    // post-header-key-case
    Vector {
        method: "POST",
        target: "/",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    },
    // post-header-key-sort
    Vector {
        method: "POST",
        target: "/",
        headers: &[("my-header1", "value1")],
        body: "",
        signed: "host;my-header1;x-amz-date",
        signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    },
    // post-header-value-case
    Vector {
        method: "POST",
        target: "/",
        headers: &[("my-header1", "VALUE1")],
        body: "",
        signed: "host;my-header1;x-amz-date",
        signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    },
    // post-vanilla-empty-query-value
    Vector {
        method: "POST",
        target: "/?Param1=value1",
        headers: &[],
        body: "",
        signed: "host;x-amz-date",
        signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    },
    // post-x-www-form-urlencoded
    Vector {
        method: "POST",
        target: "/",
        headers: &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("content-length", "13"),
            ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        ],
        body: "Param1=value1",
        signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    },
    // post-x-www-form-urlencoded-parameters
    Vector {
        method: "POST",
        target: "/",
        headers: &[
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("content-length", "13"),
            ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        ],
        body: "Param1=value1",
        signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        signature: "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
    },
];

const DATE: &str = "20150830T123600Z";

impl Vector {
    fn request(&self) -> Sent {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={}",
            self.signed, self.signature
        );
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.target.parse::<Uri>().expect("a target"))
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", DATE)
            .header("authorization", authorization);
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        request.body(self.body.as_bytes().to_vec()).expect("a request")
    }
}

#[test]
fn every_vector_is_accepted_and_none_with_another_body() {
    let verifier = Verifier::new(keys("AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "service");
    let now_ms = 1_440_938_160_000;
    assert_eq!(Timestamp::from_ms(now_ms).to_string(), DATE);
    for vector in VECTORS {
        let request = vector.request();
        let head = Head { method: request.method(), uri: request.uri(), headers: request.headers() };
        let signature = Signature::of(&head).expect("a signature");
        let checked = verifier.check(&head, &signature, request.body(), now_ms);
        assert_eq!(checked, Ok(()), "{} {}", vector.target, vector.signature);
        let changed = [request.body(), &b" "[..]].concat();
        assert!(verifier.check(&head, &signature, &changed, now_ms).is_err());
    }
}
