"""Names that people give to the columns of a table of items, by field."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping


def plain_name(name: str) -> str:
    """Column name for comparison: no case, accents, punctuation or spaces.

    >>> plain_name("Book-Title"), plain_name("releaseYear"), plain_name(" Année ")
    ('booktitle', 'releaseyear', 'annee')
    """
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in bare if c.isalnum())


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(plain_name, text.split())))


ALIASES: Mapping[str, tuple[str, ...]] = {
    "item_id": _names(
        """
        itemid id movieid productid asin sku filmid bookid songid trackid gameid showid appid
        articleid articleno articlenumber artikelid artikelnummer artikelnr produktid productcode
        itemcode code uid uuid isbn isbn13 isbn10 ean gtin upc tconst imdbid tmdbid itemno
        itemnumber productnumber identifier item product referencia reference referenz codigo
        codice codeproduit artikelcode 商品编号 商品id 商品编码 产品编号 产品id 产品编码 物品编号
        货号 编号 编码 条码 商品 产品 商品コード 商品番号 品番 商品번호 상품번호 상품코드 상품id
        품번 артикул код идентификатор
        """
    ),
    "title": _names(
        """
        title name movietitle productname itemtitle itemname producttitle filmtitle movie
        moviename filmname booktitle bookname songtitle trackname tracktitle gametitle gamename
        primarytitle headline showtitle displayname titel bezeichnung produktname artikelname
        titre nom titulo nombre titolo nome naam film product item label originaltitle 商品名称
        商品标题 产品名称 商品名 产品名 物品名称 标题 名称 品名 书名 片名 电影名 歌名 名字
        商品名稱 產品名稱 標題 名稱 タイトル 製品名 作品名 名前 상품명 제품명 제목 이름 название
        наименование
        """
    ),
    "year": _names(
        """
        year releaseyear yearreleased yearofrelease productionyear publicationyear publishedyear
        yearofpublication yearpublished originalpublicationyear pubyear startyear movieyear
        releasedate datereleased firstairdate publicationdate publishdate datepublished published
        released jahr erscheinungsjahr annee ano anno jaar 年份 上映年份 出版年份 发行年份
        上市年份 上架日期 上架时间 上映日期 出版日期 发行日期 上市日期 上市时间 年 發行日期 發售日
        発売年 発売日 公開年 公開日 출시년도 출시일 연도 개봉일 год годвыпуска
        """
    ),
    "description": _names(
        """
        description overview plot summary synopsis storyline plotsummary plotsynopsis
        productdescription itemdescription moviedescription longdescription shortdescription
        abstract blurb desc details about beschreibung produktbeschreibung handlung inhalt resume
        descripcion sinopsis descrizione descricao trama omschrijving beschrijving tagline
        商品描述 产品描述 商品简介 产品简介 商品介绍 产品介绍 内容简介 剧情简介 描述 简介 介绍
        详情 说明 商品說明 描述說明 簡介 商品説明 説明 あらすじ 概要 상품설명 설명 줄거리 описание
        """
    ),
    "categories": _names(
        """
        categories category genres genre itemcategories itemcategory productcategory
        productcategories maincategory listedin topics topic subjects subject kategorien kategorie
        genren categorie categoria categorias generos genero generi shelves rubrique rubrik
        maingenre primarygenre categoryname genrename producttype department tags keywords
        商品类别 商品分类 产品类别 产品分类 商品类目 类别 分类 类目 品类 题材 类型 标签 商品類別
        商品分類 類別 分類 類型 カテゴリー カテゴリ ジャンル 카테고리 분류 장르 категория
        категории жанр жанры
        """
    ),
    "price": _names(
        """
        price unitprice saleprice listprice retailprice sellingprice currentprice preis
        verkaufspreis prix precio prezzo preco prijs 价格 售价 单价 现价 定价 零售价 价钱 價格
        售價 単価 価格 値段 販売価格 가격 판매가 цена стоимость
        """
    ),
    "value": _names(
        """
        value
        """
    ),
    "available": _names(
        """
        available availability instock isavailable stock stockquantity stockqty stocklevel
        stockcount stockstatus quantityinstock qtyinstock unitsinstock instockquantity inventory
        inventoryquantity availablequantity onhand quantity qty verfugbar verfugbarkeit lieferbar
        bestand lagerbestand disponible disponibilite disponibilita disponivel disponibilidad
        existencias giacenza estoque voorraad 库存 库存量 库存数量 库存状态 是否有货 有货 在售
        供货状态 数量 庫存 在庫 在庫数 재고 재고수량 наличие остаток вналичии
        """
    ),
    "min_age": _names(
        """
        minage minimumage agelimit agemin agefrom fromage fsk mindestalter age ages agerange
        agegroup agerating recommendedage suitableage targetage ageyears alter altersempfehlung
        edadminima ageminimum etaminima 最小年龄 最低年龄 起始年龄 适用年龄 适合年龄 建议年龄
        年龄段 年龄 最小年齡 適用年齡 対象年齢 최소연령 사용연령 권장연령 возраст
        минимальныйвозраст
        """
    ),
    "max_age": _names(
        """
        maxage maximumage agemax ageto toage uptoage hochstalter edadmaxima agemaximum 最大年龄
        最高年龄 截止年龄 最大年齡 최대연령 максимальныйвозраст
        """
    ),
    "popularity": _names(
        """
        popularity sales unitssold soldunits sold salescount salesvolume totalsales itemssold
        quantitysold numbersold numsold orders ordercount numorders purchases purchasecount
        numpurchases numvotes votes votecount votescount numberofvotes imdbvotes numratings
        ratingcount ratingscount ratingsnumber nratings numberofratings totalratings reviewcount
        reviewscount numreviews nreviews numberofreviews totalreviews reviews downloads
        downloadcount plays playcount listeners views viewcount pageviews watchers favorites
        favoritescount favourites likes likecount verkaufe verkauft absatz verkaufszahlen
        bewertungen anzahlbewertungen ventes nombredavis ventas vendidos vendite venduti vendas
        beliebtheit popularite popularidad 销量 总销量 月销量 累计销量 已售 销售量 售出数量 评论数
        评价数 评分人数 评价人数 投票数 热度 人气 收藏数 点赞数 浏览量 下载量 播放量 销售数量 銷量
        評論數 販売数 レビュー数 評価数 人気度 판매량 판매수 리뷰수 평점수 продажи продано
        популярность количествоотзывов отзывы
        """
    ),
    "image": _names(
        """
        image imageurl imageurll imageurlhighres imagelink imagesrc imagefile imagepath imageurls
        images img imgurl imglink imgsrc productimage itemimage mainimage poster posterurl
        posterlink posterpath cover coverurl coverimage coverlink picture pictureurl photo photourl
        thumbnail thumbnailurl thumb thumburl imageurlm imageurls imgs bild bildurl produktbild
        affiche imagen foto immagine imagem afbeelding 图片 图片链接 图片地址 图片url 商品图片
        产品图片 主图 封面 封面图 海报 商品圖片 圖片 画像 画像url 商品画像 이미지 상품이미지
        картинка изображение
        """
    ),
    "image_alt": _names(
        """
        imagealt imagealttext alttext alt imagedescription imagecaption picturedescription
        图片说明 图片描述 替代文字 代替テキスト
        """
    ),
}
"""Field → column names, the first that is there, as ``plain_name`` gives them. English first, then
other European languages, Chinese, Japanese, Korean and Russian."""

CURRENCIES: Mapping[str, tuple[str, ...]] = {
    "EUR": ("€", "eur", "euro", "euros"),
    "USD": ("$", "usd", "us$", "dollar", "dollars"),
    "GBP": ("£", "gbp", "pound", "pounds"),
    "CNY": ("cny", "rmb", "人民币", "元", "块", "圆", "cn¥"),
    "JPY": ("jpy", "yen", "円", "日元"),
    "KRW": ("₩", "krw", "won", "원"),
    "INR": ("₹", "inr", "rs", "rs.", "rupees"),
    "RUB": ("₽", "rub", "руб", "руб."),
    "CHF": ("chf", "fr."),
    "SEK": ("sek",),
    "PLN": ("pln", "zł"),
    "TRY": ("₺", "try", "tl"),
    "BRL": ("r$", "brl"),
    "CAD": ("ca$", "cad", "c$"),
    "AUD": ("a$", "aud", "au$"),
}
"""Currency code → how tables write it, case-folded. ``¥`` alone may be either of two."""
