//! The files that can be fetched: their official places and the MD5 sums published with them.

/// A file on the network and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// The address without the name.
    pub base_url: &'static str,
    /// The name, there and here.
    pub name: &'static str,
    /// The published MD5 sum, 32 lower-case hexadecimal digits.
    pub md5: &'static str,
}

const TORONTO: &str = "https://www.cs.toronto.edu/~kriz";

/// CIFAR-10, the binary version.
pub const CIFAR10_BINARY: RemoteFile =
    RemoteFile { base_url: TORONTO, name: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" };

/// CIFAR-10, the Python version, which torchvision fetches.
pub const CIFAR10_PYTHON: RemoteFile =
    RemoteFile { base_url: TORONTO, name: "cifar-10-python.tar.gz", md5: "c58f30108f718f92721af3b95e74349a" };

/// CIFAR-100, the Python version.
pub const CIFAR100_PYTHON: RemoteFile = RemoteFile {
    base_url: TORONTO,
    name: "cifar-100-python.tar.gz",
    md5: "eb9058c3a382ffc7106e4002c42a8d85",
};

/// MNIST, from the copy that torchvision uses.
pub const MNIST: [RemoteFile; 4] = idx_files(
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    [
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ],
);

/// Fashion-MNIST. Its place speaks no TLS; the sums guard the contents.
pub const FASHION_MNIST: [RemoteFile; 4] = idx_files(
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ],
);

/// The four files of a data set in MNIST's layout; the sums in the order of the names below.
const fn idx_files(base_url: &'static str, md5: [&'static str; 4]) -> [RemoteFile; 4] {
    [
        RemoteFile { base_url, name: "train-images-idx3-ubyte.gz", md5: md5[0] },
        RemoteFile { base_url, name: "train-labels-idx1-ubyte.gz", md5: md5[1] },
        RemoteFile { base_url, name: "t10k-images-idx3-ubyte.gz", md5: md5[2] },
        RemoteFile { base_url, name: "t10k-labels-idx1-ubyte.gz", md5: md5[3] },
    ]
}
