//! Passengers with their tickets, as orders have them (ST, OF and A26, 2026-04).

use super::PassengerAncillary;
use super::message::message;
use super::shape::Kind;
use super::value::{Code, Date};

message! {
    /// A passenger with tickets.
    PassengerTicket {
        /// `Last/First Middle`.
        name "name": Option<String>;
        /// 0 adult, 1 child, 2 infant.
        passenger_type "passengerType": Option<Code>, loggable;
        /// Birthday.
        birthday "birthday": Option<Date>;
        /// M or F.
        gender "gender": Option<String>;
        /// Identity document number.
        card_num "cardNum": Option<String>;
        /// Document type: PP, GA, TW, TB, HY; open.
        card_type "cardType": Option<String>;
        /// Issuing country.
        card_issue_place "cardIssuePlace": Option<String>;
        /// Document expiry.
        card_expired "cardExpired": Option<Date>;
        /// Nationality.
        nationality "nationality": Option<String>;
        /// Ticket numbers (with low-cost carriers: the airline PNR). Two only for a split round trip.
        ticket_nos "ticketNos": Vec<String> => Kind::JOINED_LIST, never_null;
        /// Airline PNRs, as ticketNos.
        airline_pnrs "airlinePNRs": Vec<String> => Kind::JOINED_LIST, never_null;
        /// E-mail addresses used for issuing.
        contact_emails "contactEmails": Vec<String>;
        /// Phone numbers used for issuing.
        contact_phones "contactPhones": Vec<String>;
        /// State of the ticket; undocumented here, null when seen.
        ticket_status "ticketStatus": Option<Code>, loggable;
        /// What the passenger bought beside the seat.
        ancillaries "ancillaries": Vec<PassengerAncillary>;
    }
}
