"""The driver of `make demo`: the whole product on its own samples and an emulated cloud, without any account."""
