//! The suite of `loa-bus`, on RabbitMQ. `tests/run conformance` starts it.
//!
//! Each rule runs on a virtual host of its own, on the run's node.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod broker;

use async_trait::async_trait;
use loa_bus::{Bus, Connect, Consumer, Health, conformance::Fixture};
use loa_bus_rabbitmq::{RabbitBus, RabbitConfig};
use std::{sync::Arc, time::Duration};

struct Vhost(String);

async fn vhost() -> Vhost {
    Vhost(broker::fresh_vhost().await)
}

#[async_trait]
impl Fixture for Vhost {
    async fn undeclared(&self) -> Arc<dyn Bus> {
        let bus = RabbitBus::connect(RabbitConfig::new(&self.0), broker::clock(), broker::random()).unwrap();
        for _ in 0..600 {
            if bus.health() == Health::Up {
                return Arc::new(bus);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the broker was not reached: {:?}", bus.health());
    }

    // Dropping cuts both connections without a word of AMQP settlement; a real `kill -9` looks the same to a broker, and
    // is tried on whole processes by the system suite.
    async fn crash(&self, bus: Arc<dyn Bus>, consumers: Vec<Box<dyn Consumer>>) {
        drop(consumers);
        drop(bus);
    }
}

loa_bus::bus_conformance_tests!(vhost);
