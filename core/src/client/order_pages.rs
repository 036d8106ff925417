//! All pages of orderList.
//!
//! The vendor documents neither a stable sort nor a snapshot, so orders may move between pages while
//! they are read: an order that shows up twice is given once, and a total that moves is warned about.

use std::collections::HashSet;

use super::{Client, Failure, blocking};
use crate::wire::{OrderListReply, OrderListRequest, OrderSummary};

/// The state between two pages; the same for the async and the blocking form.
#[derive(Debug)]
struct Walk {
    request: OrderListRequest,
    page: i64,
    page_size: i64,
    seen: HashSet<String>,
    received: i64,
    total: Option<i64>,
    warnings: Vec<String>,
    done: bool,
}

impl Walk {
    fn new(mut request: OrderListRequest) -> Walk {
        let number = |n: &Option<crate::wire::Number>| n.as_ref().and_then(crate::wire::Number::to_i64);
        let page = number(&request.page).unwrap_or(1).max(1);
        // The largest page means the fewest chances for orders to move between pages.
        let page_size = number(&request.page_size).unwrap_or(100).clamp(1, 100);
        request.page_size = Some(page_size.into());
        Walk {
            request,
            page,
            page_size,
            seen: HashSet::new(),
            received: (page - 1) * page_size,
            total: None,
            warnings: Vec::new(),
            done: false,
        }
    }

    /// The request of the next page; None at the end.
    fn next_request(&mut self) -> Option<OrderListRequest> {
        if self.done {
            return None;
        }
        self.request.page = Some(self.page.into());
        Some(self.request.clone())
    }

    /// Takes a page and gives its orders that were not given before.
    fn take(&mut self, reply: OrderListReply) -> Vec<OrderSummary> {
        let total = reply.total_records.as_ref().and_then(crate::wire::Number::to_i64);
        if let (Some(before), Some(now)) = (self.total, total)
            && before != now
        {
            self.warnings.push(format!("totalRecords moved from {before} to {now} on page {}", self.page));
        }
        self.total = total.or(self.total);
        let length = reply.orders.len() as i64;
        self.received += length;
        self.page += 1;
        let fresh: Vec<_> = reply
            .orders
            .into_iter()
            .filter(|order| match &order.order_no {
                Some(number) => self.seen.insert(number.clone()),
                None => true,
            })
            .collect();
        // A page without anything new ends the walk too: some servers repeat the last page for ever.
        self.done = length == 0
            || fresh.is_empty()
            || match self.total {
                Some(total) => self.received >= total,
                None => length < self.page_size,
            };
        fresh
    }
}

/// The pages of an [`orderList`](Client::order_list), blocking. An error ends the walk.
#[derive(Debug)]
pub struct Orders {
    client: blocking::Client,
    walk: Walk,
    ready: std::vec::IntoIter<OrderSummary>,
}

impl Orders {
    /// Inconsistencies between pages: totals that changed.
    pub fn warnings(&self) -> &[String] {
        &self.walk.warnings
    }
}

impl Iterator for Orders {
    type Item = Result<OrderSummary, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(order) = self.ready.next() {
                return Some(Ok(order));
            }
            let request = self.walk.next_request()?;
            match self.client.order_list(&request) {
                Ok(answer) => self.ready = self.walk.take(answer.data).into_iter(),
                Err(failure) => {
                    self.walk.done = true;
                    return Some(Err(failure));
                }
            }
        }
    }
}

impl blocking::Client {
    /// All orders that match, over all pages (100 each unless pageSize says otherwise).
    pub fn orders(&self, request: OrderListRequest) -> Orders {
        Orders { client: self.clone(), walk: Walk::new(request), ready: Vec::new().into_iter() }
    }
}

/// The pages of an [`orderList`](Client::order_list), one future at a time.
#[derive(Debug)]
pub struct OrderPages {
    client: Client,
    walk: Walk,
}

impl OrderPages {
    /// The next page's orders that were not given before; None at the end. An error ends the walk.
    pub async fn next(&mut self) -> Option<Result<Vec<OrderSummary>, Failure>> {
        let request = self.walk.next_request()?;
        match self.client.order_list(&request).await {
            Ok(answer) => Some(Ok(self.walk.take(answer.data))),
            Err(failure) => {
                self.walk.done = true;
                Some(Err(failure))
            }
        }
    }

    /// Inconsistencies between pages: totals that changed.
    pub fn warnings(&self) -> &[String] {
        &self.walk.warnings
    }
}

impl Client {
    /// All orders that match, page by page.
    pub fn order_pages(&self, request: OrderListRequest) -> OrderPages {
        OrderPages { client: self.clone(), walk: Walk::new(request) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(numbers: std::ops::Range<usize>, total: Option<i64>) -> OrderListReply {
        let orders =
            numbers.map(|n| OrderSummary { order_no: Some(format!("O{n}")), ..OrderSummary::default() }).collect();
        OrderListReply { orders, total_records: total.map(Into::into), ..OrderListReply::default() }
    }

    fn walk(page_size: i64) -> Walk {
        Walk::new(OrderListRequest { page_size: Some(page_size.into()), ..OrderListRequest::default() })
    }

    #[test]
    fn stops_at_the_total_and_gives_each_order_once() {
        let mut w = walk(10);
        assert_eq!(w.take(page(0..10, Some(15))).len(), 10);
        assert!(w.next_request().is_some_and(|r| r.page == Some(2.into())));
        // A new order pushed the tenth one over to this page.
        assert_eq!(w.take(page(9..15, Some(16))).len(), 5);
        assert_eq!(w.warnings.len(), 1);
        assert!(w.next_request().is_none());
    }

    #[test]
    fn stops_without_a_total() {
        let mut w = walk(10);
        assert_eq!(w.take(page(0..10, None)).len(), 10);
        assert_eq!(w.take(page(10..13, None)).len(), 3);
        assert!(w.next_request().is_none());
    }

    #[test]
    fn stops_when_a_page_repeats() {
        let mut w = walk(10);
        w.take(page(0..10, Some(1000)));
        assert_eq!(w.take(page(0..10, Some(1000))).len(), 0);
        assert!(w.next_request().is_none());
    }
}
