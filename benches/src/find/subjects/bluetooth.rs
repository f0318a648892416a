//! `bluetooth_driver`: a request that has looked whether the driver stops, before it says that it is
//! on its way, meets a driver that has stopped.

use super::Subject;
use crate::find::host::Host;

#[derive(Clone, Copy)]
pub(crate) struct Bluetooth;

impl Subject for Bluetooth {
    fn name(&self) -> String {
        "bluetooth".to_owned()
    }

    async fn run<H: Host>(self) {
        let (is_stopping, has_stopped) = (H::cell(0), H::cell(0));
        let (pending, is_quiet) = (H::cell(1), H::cell(0));
        let request = {
            let (is_stopping, has_stopped) = (is_stopping.clone(), has_stopped.clone());
            let (pending, is_quiet) = (pending.clone(), is_quiet.clone());
            async move {
                if H::load(&is_stopping).await == 0 {
                    H::add(&pending, 1).await;
                    assert_eq!(H::load(&has_stopped).await, 0, "it works on a stopped driver");
                }
                leave::<H>(&pending, &is_quiet).await;
            }
        };
        let request = H::spawn(request).await;
        H::store(&is_stopping, 1).await;
        leave::<H>(&pending, &is_quiet).await;
        if H::load(&is_quiet).await == 1 {
            H::store(&has_stopped, 1).await;
        }
        H::join(request).await;
    }
}

async fn leave<H: Host>(pending: &H::Cell, is_quiet: &H::Cell) {
    if H::add(pending, -1).await == 0 {
        H::store(is_quiet, 1).await;
    }
}
