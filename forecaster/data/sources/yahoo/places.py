"""Yahoo's exchange codes → calendars.

The instrument type is checked first: the time zone does not distinguish VOD.L from EURUSD=X.
"""

from __future__ import annotations

_BY_KIND = {"CRYPTOCURRENCY": "24/7", "CURRENCY": "24/5"}

_CODES = {
    "XNYS": "NYQ NYS NMS NGM NCM NAS NIM NMX ASE PCX BTS CXI YHD PNK OQB OQX OEM OID OPR SNP DJI CGI WCB NYI RUS CBOE",
    "CMES": "CME CBT CMX NYM",
    "IEPA": "NYB ICE",
    "XTSE": "TOR VAN CNQ NEO TSI",
    "XMEX": "MEX",
    "BVMF": "SAO",
    "XBUE": "BUE",
    "XSGO": "SGO",
    "XBOG": "BVC",
    "XLIM": "LIM",
    "XLON": "LSE IOB FGI AQS CXE",
    "XDUB": "ISE IRS",
    "XETR": "GER",
    "XFRA": "FRA BER MUN HAN",
    "XDUS": "DUS",
    "XHAM": "HAM",
    "XSTU": "STU",
    "XPAR": "PAR ENX",
    "XAMS": "AMS",
    "XBRU": "BRU",
    "XLIS": "LIS",
    "XMIL": "MIL TLO",
    "XMAD": "MCE MAD",
    "XSWX": "EBS VTX ZRH",
    "XEUR": "ZUX DXE",
    "XWBO": "VIE",
    "XSTO": "STO",
    "XCSE": "CPH",
    "XHEL": "HEL",
    "XOSL": "OSL",
    "XICE": "ICX",
    "XWAR": "WSE",
    "XPRA": "PRA",
    "XBUD": "BUD",
    "ASEX": "ATH",
    "XIST": "IST",
    "XTAL": "TAL",
    "XRIS": "RIS",
    "XLIT": "LIT",
    "XBSE": "BVB",
    "XJSE": "JNB",
    "XTAE": "TLV",
    "XSAU": "SAU",
    "XKAR": "KAR",
    "XBOM": "BSE NSI",
    "XSHG": "SHH SHZ SS SZ",
    "XHKG": "HKG HKS",
    "XTKS": "JPX OSA TYO FKA SAP",
    "XKRX": "KSC KOE",
    "XTAI": "TAI TWO",
    "XSES": "SES",
    "XKLS": "KLS",
    "XIDX": "JKT",
    "XBKK": "SET",
    "XPHS": "PHS PHP",
    "XASX": "ASX AXJ",
    "XNZE": "NZE",
    "Sun-Thu": "KUW DOH CAI",
    "24/7": "CCC",
    "24/5": "CCY",
}
_BY_EXCHANGE = {code: calendar for calendar, codes in _CODES.items() for code in codes.split()}

_BY_SUFFIX = {
    "SS": "XSHG", "SZ": "XSHG", "T": "XTKS", "L": "XLON", "IL": "XLON", "HK": "XHKG", "DE": "XETR", "F": "XFRA",
    "PA": "XPAR", "AS": "XAMS", "BR": "XBRU", "LS": "XLIS", "MI": "XMIL", "MC": "XMAD", "SW": "XSWX", "VI": "XWBO",
    "ST": "XSTO", "CO": "XCSE", "HE": "XHEL", "OL": "XOSL", "IC": "XICE", "WA": "XWAR", "PR": "XPRA", "BD": "XBUD",
    "AT": "ASEX", "IS": "XIST", "JO": "XJSE", "TA": "XTAE", "SR": "XSAU", "BO": "XBOM", "NS": "XBOM", "KS": "XKRX",
    "KQ": "XKRX", "TW": "XTAI", "TWO": "XTAI", "SI": "XSES", "KL": "XKLS", "JK": "XIDX", "BK": "XBKK", "PS": "XPHS",
    "AX": "XASX", "NZ": "XNZE", "TO": "XTSE", "V": "XTSE", "CN": "XTSE", "NE": "XTSE", "MX": "XMEX", "SA": "BVMF",
    "BA": "XBUE", "SN": "XSGO", "IR": "XDUB",
}  # fmt: skip

CLASS_SUFFIXES = frozenset("ABCDEGHIJKMNOPQRSUWXYZ")
"""Suffixes after a dot that denote a share class: not exchange suffixes at Yahoo (F, L, T and V are exchanges)."""


def calendar_of(ticker: str, exchange: str | None, kind: str | None) -> str | None:
    """Calendar of a listing by type, exchange or suffix; None if all are unknown.

    Args:
        exchange: `exchangeName` of the response, such as NMS, LSE or CCY.
        kind: `instrumentType` of the response, such as EQUITY or CURRENCY.
    """
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if exchange in _BY_EXCHANGE:
        return _BY_EXCHANGE[exchange]
    return _BY_SUFFIX.get(ticker.rpartition(".")[2]) if "." in ticker else None
