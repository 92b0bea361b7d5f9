//! The pickle reader: what numpy and Python write, and what somebody malicious would.

use firebrick_data::pickle::{Bytes, MAX_OPERATIONS, MAX_VALUES, Pickle};
use proptest::prelude::*;

use crate::support::{cifar_pickle, cifar_pixels};

#[track_caller]
fn refused(bytes: &[u8], parts: &[&str]) {
    let error = match Pickle::read(bytes) {
        Ok(pickle) => panic!("accepted: {:?}", pickle.value(pickle.root())),
        Err(error) => error.to_string(),
    };
    for part in parts {
        assert!(error.contains(part), "no `{part}` in: {error}");
    }
}

#[test]
fn numbers_of_every_width() {
    let cases: [(&[u8], i64); 9] = [
        (b"K\xff.", 255),
        (b"M\x01\x02.", 513),
        (b"J\xff\xff\xff\xff.", -1),
        (b"\x8a\x00.", 0),
        (b"\x8a\x01\xff.", -1),
        (b"\x8a\x02\xff\x00.", 255),
        (b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", i64::MAX),
        (b"I42\n.", 42),
        (b"L-42L\n.", -42),
    ];
    for (bytes, expected) in cases {
        let pickle = Pickle::read(bytes).unwrap();
        assert_eq!(pickle.integer(pickle.root()), Ok(expected), "{bytes:?}");
    }
}

/// `pickle.dumps({'data': a, 'labels': [3]}, protocol)` of numpy 1 and 2 for a 1x2 array `[[1, 254]]`.
#[test]
fn arrays_of_every_protocol() {
    let protocol_4_numpy_2: &[u8] = b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04data\x94\
        \x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94\
        K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x01K\x02\x86\x94h\x05\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\x88\x87\x94R\x94\
        (K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94b\x89C\x02\x01\xfe\x94t\x94b\x8c\x06labels\x94]\x94K\x03au.";
    let protocol_2_python_3: &[u8] = b"\x80\x02}q\x00(X\x04\x00\x00\x00dataq\x01cnumpy.core.multiarray\n_reconstruct\n\
        cnumpy\nndarray\nK\x00\x85c_codecs\nencode\nX\x01\x00\x00\x00bX\x06\x00\x00\x00latin1\x86R\x87R(K\x01K\x01K\x02\x86\
        cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\
        \x89c_codecs\nencode\nX\x03\x00\x00\x00\x01\xc3\xbeX\x06\x00\x00\x00latin1\x86Rtbu.";
    let protocol_5: &[u8] = b"\x80\x05}\x8c\x04datacnumpy._core.numeric\n_frombuffer\n(\x96\x02\x00\x00\x00\x00\x00\x00\x00\x01\xfe\
        cnumpy\ndtype\n\x8c\x02u1\x89\x88\x87RK\x01K\x02\x86\x8c\x01Ct\x94Rs.";
    for bytes in [protocol_4_numpy_2, protocol_2_python_3, protocol_5] {
        let pickle = Pickle::read(bytes).unwrap();
        let matrix = pickle.byte_matrix(pickle.entry(pickle.root(), "data").unwrap()).unwrap();
        assert_eq!((matrix.rows, matrix.columns), (1, 2));
        let data = match &matrix.data {
            Bytes::InFile(range) => &bytes[range.clone()],
            Bytes::Owned(decoded) => decoded,
        };
        assert_eq!(data, [1, 254]);
    }
}

#[test]
fn an_array_in_fortran_order_is_turned() {
    let bytes =
        b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01K\x02K\x03\x86cnumpy\ndtype\nU\x02u1\x85R\x88U\x06\
        \x01\x04\x02\x05\x03\x06tb.";
    let pickle = Pickle::read(bytes).unwrap();
    let matrix = pickle.byte_matrix(pickle.root()).unwrap();
    assert_eq!(matrix.data, Bytes::Owned(vec![1, 2, 3, 4, 5, 6]));
}

#[test]
fn nothing_is_executed() {
    refused(b"cposix\nsystem\n(S'id'\ntR.", &["byte 0", "`posix.system`"]);
    refused(b"\x80\x04\x8c\x02os\x8c\x06system\x93.", &["`os.system`"]);
    refused(b"c__builtin__\neval\n.", &["`__builtin__.eval`"]);
    for opcode in [b'i', b'o', b'P', b'Q', 0x81, 0x82, 0x83, 0x84, 0x92, 0x97, 0x98] {
        refused(&[b'(', opcode, b'.'], &["byte 1", "nothing is executed"]);
    }
    // A known global may not be called with what it does not take.
    refused(b"cnumpy\nndarray\n)R.", &["a numpy array, its type or its bytes"]);
    refused(b"K\x01)R.", &["a whole number"]);
    refused(b"K\x01Nb.", &["to fill", "a whole number"]);
}

#[test]
fn a_bomb_of_references_costs_nothing() {
    // 64 lists, each holding the one before ten times: 10^64 elements if it were unfolded.
    let mut bytes = b"\x80\x02]q\x00".to_vec();
    for level in 0..64_u8 {
        bytes.extend([b']', b'q', level + 1, b'(']);
        bytes.extend([b'h', level].repeat(10));
        bytes.push(b'e');
    }
    bytes.extend(b"\x87.");
    let pickle = Pickle::read(&bytes);
    assert!(pickle.is_err(), "65 values stay on the stack");
}

#[test]
fn too_many_values_or_operations() {
    let mut bytes = vec![b']'; MAX_VALUES + 10];
    refused(&bytes, &["values", &format!("byte {MAX_VALUES}")]);
    bytes = b"N".to_vec();
    bytes.extend(b"q\x00".repeat(MAX_OPERATIONS));
    refused(&bytes, &["at most 4194304 operations"]);
    // The same text encoded again and again would take memory that the file does not have.
    let mut bytes = b"c_codecs\nencode\nq\x00X\x00\x01\x00\x00".to_vec();
    bytes.extend([b'a'; 256]);
    bytes.extend(b"X\x06\x00\x00\x00latin1\x86q\x01");
    bytes.extend(b"h\x00h\x01R".repeat(1000));
    refused(&bytes, &["each text encoded once"]);
}

#[test]
fn stacks_that_do_not_fit() {
    refused(b"", &["byte 0", "1 more bytes"]);
    refused(b".", &["a value on the stack", "none"]);
    refused(b"NN.", &["one value at the end"]);
    refused(b"(.", &["a value on the stack"]);
    refused(b"N(.", &["a value on the stack"]);
    refused(b"t.", &["a mark"]);
    refused(b"N\x86.", &["2 values on the stack"]);
    refused(b"N(N\x86.", &["2 values on the stack"]);
    refused(b"h\x05.", &["memo 5, never filled"]);
    refused(b"NNa.", &["a list to append to", "None"]);
    refused(b"](K\x01K\x02u.", &["a dictionary to add to", "a list"]);
    refused(b"}(K\x01u.", &["a key without one"]);
    refused(b"X\x01\x00\x00\x00\xff.", &["text in UTF-8"]);
    refused(b"\x80\x09N.", &["protocol 9"]);
    refused(b"\x8a\x09aaaaaaaaa.", &["at most 8 bytes", "9 bytes"]);
    refused(b"Ixyz\n.", &["a whole number", "`xyz`"]);
    refused(&[&b"c"[..], &[b'a'; 1000]].concat(), &["a line of at most 256 bytes"]);
}

#[test]
fn a_value_that_holds_itself_is_only_a_value() {
    let pickle = Pickle::read(b"]q\x00h\x00a.").unwrap();
    assert_eq!(pickle.elements(pickle.root()).unwrap(), [pickle.root()]);
    assert!(pickle.byte_matrix(pickle.root()).is_err());
    assert!(pickle.entry(pickle.root(), "data").is_err());
}

proptest! {
    /// No bytes make the reader panic, and what it accepts can be asked anything.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(pickle) = Pickle::read(&bytes) {
            let root = pickle.root();
            let _ = (pickle.entry(root, "data"), pickle.byte_matrix(root), pickle.text(root));
        }
    }

    /// Nor does a real file with some bytes changed.
    #[test]
    fn a_damaged_file_is_read_or_refused(
        changes in prop::collection::vec((0..400_usize, any::<u8>()), 1..4),
        tail in 0..400_usize,
    ) {
        let mut bytes = cifar_pickle(&[1], 1, &cifar_pixels(1));
        let length = bytes.len();
        for (place, value) in changes {
            bytes[place.min(length - 1)] = value;
        }
        bytes.truncate(length - tail.saturating_sub(200));
        if let Ok(pickle) = Pickle::read(&bytes)
            && let Ok(data) = pickle.entry(pickle.root(), "data")
        {
            let _ = pickle.byte_matrix(data);
        }
    }
}
